"""The pages that a person sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from oneact.server.settings import Settings


def routes(_: Settings) -> list[BaseRoute]:
    """Give the routes of the pages."""
    return []
