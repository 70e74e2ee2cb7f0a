"""The approval server inside a service, for the service's own accounts."""

from oneact.embedded.server import Embedded

__all__ = ["Embedded"]
