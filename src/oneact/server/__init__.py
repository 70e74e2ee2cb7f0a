"""The approval server: where a person's passkeys live and acts are shown."""

from oneact.server.app import create_app
from oneact.server.settings import Settings

__all__ = ["Settings", "create_app"]
