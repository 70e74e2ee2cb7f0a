"""Decorators in their order: no route may run a guarded function itself, past the guard."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


def check_is_not_raw(path: str, endpoint: object, guarded: Collection[Callable[..., Any]]) -> None:
    """Raise ValueError where the route at `path` runs one of the guarded functions itself.

    That is what decorators in the wrong order lead to: the route is made of the function before the guard sees it.
    """
    raw = next((function for function in guarded if _runs(endpoint, function)), None)
    if raw is not None:
        name = getattr(raw, "__qualname__", repr(raw))
        raise ValueError(
            f"{path} runs {name} without the guard: write @app.post(…) above @guard.action(…), not below it"
        )


def _runs(endpoint: object, guarded: object) -> bool:
    """Tell whether one of the two is the other, or wraps it."""
    return guarded in _chain(endpoint) or endpoint in _chain(guarded)


def _chain(function: Any) -> list[Any]:  # noqa: ANN401 - any callable
    """Give a function and those that it wraps, by `functools.wraps` or `functools.partial`."""
    found: list[Any] = []
    while function is not None and function not in found:
        found.append(function)
        inner = function.func if isinstance(function, functools.partial) else None
        function = inner or getattr(function, "__wrapped__", None)
    return found
