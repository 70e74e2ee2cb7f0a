"""The approval server inside a service, for the service's own accounts."""

try:
    from oneact.embedded.server import Embedded
except ModuleNotFoundError as missing:
    missing.add_note('oneact.embedded needs: pip install "oneact[server]"')
    raise

__all__ = ["Embedded"]
