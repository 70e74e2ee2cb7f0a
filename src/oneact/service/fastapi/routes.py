"""The routes of an application: which of them are guarded, and that none runs a guarded handler past the guard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import routing
from fastapi.staticfiles import StaticFiles

from oneact.service.typed import order

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator


_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def of(app: Any) -> Iterator[Any]:  # noqa: ANN401 - whichever application has the routes
    """Give the routes of an application and of the routers it includes."""
    walk = getattr(routing, "iter_route_contexts", iter)  # newer releases keep included routers apart
    yield from walk(app.routes)


def check_none_is_raw(app: Any, guarded: Collection[Callable[..., Any]]) -> None:  # noqa: ANN401 - as in `of`
    """Raise ValueError where a route, also of a mounted application, runs one of the guarded functions itself."""
    for route in _everywhere(app):
        order.check_is_not_raw(getattr(route, "path", ""), getattr(route, "endpoint", None), guarded)


def uncovered(app: Any, own: object, above: str = "") -> Iterator[str]:  # noqa: ANN401 - as in `of`
    """Give each route that changes something and is not guarded, by method and path; `own` is the guard's endpoint.

    Of a mounted application that has no routes to be looked at, all is not covered, but for files that are only read.
    """
    for route in of(app):
        endpoint, path = getattr(route, "endpoint", None), above + getattr(route, "path", "")
        changing = sorted(_CHANGING & set(getattr(route, "methods", None) or ()))
        if getattr(route, "routes", None):
            yield from uncovered(route, own, path)
        elif changing and endpoint != own and not hasattr(endpoint, "oneact_handler"):
            yield f"{', '.join(changing)} {path}"
        elif endpoint is None and not isinstance(_mounted(route), StaticFiles):
            yield f"everything below {path}"


def _mounted(route: Any) -> object:  # noqa: ANN401 - as in `of`
    return getattr(getattr(route, "original_route", route), "app", None)


def _everywhere(app: Any) -> Iterator[Any]:  # noqa: ANN401 - as in `of`
    for route in of(app):
        yield route
        if getattr(route, "routes", None):
            yield from _everywhere(route)
