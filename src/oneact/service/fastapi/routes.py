"""The routes of an application: which of them are guarded, and that none runs a guarded handler past the guard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import routing

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


def uncovered(app: Any, own: object) -> Iterator[str]:  # noqa: ANN401 - as in `of`
    """Give each route that changes something and is not guarded, by method and path; `own` is the guard's endpoint.

    Of a mounted application that has no routes to be looked at, all is not covered.
    """
    for route in _everywhere(app):
        endpoint = getattr(route, "endpoint", None)
        changing = sorted(_CHANGING & set(getattr(route, "methods", None) or ()))
        if changing and endpoint != own and not hasattr(endpoint, "oneact_handler"):
            yield f"{', '.join(changing)} {route.path}"
        if endpoint is None and not hasattr(route, "methods") and not getattr(route, "routes", None):
            yield f"everything below {getattr(route, 'path', '/')}"


def _everywhere(app: Any) -> Iterator[Any]:  # noqa: ANN401 - as in `of`
    for route in of(app):
        yield route
        if getattr(route, "routes", None):
            yield from _everywhere(route)
