"""One decorated function that reads: what is published of it, and which of its arguments says who reads."""

from __future__ import annotations

import inspect
import typing
from typing import TYPE_CHECKING, Any, Self

from oneact.service import readers
from oneact.service.act import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from oneact.service.guard import GuardCore


class Reader:
    """One guarded read of an application; its path is known when the application is bound."""

    def __init__(self, guard: GuardCore, name: str, intent: str, function: Callable[..., Any]) -> None:
        self.name, self.intent, self.function = name, intent, function
        self.bound = False
        self._guard = guard
        readers.describe(name, intent, "/")
        guard.check_owned(f"read {name}: the handler", function)
        self.hints = typing.get_type_hints(function, include_extras=True)
        self.known = next((name for name in inspect.signature(function).parameters if self._is_reading(name)), None)

    def declare_in(self, declared: dict[str, Self]) -> None:
        """Add the read to those of its guard; raises ValueError for a name that is taken."""
        if self.name in declared or self.name in self._guard.reads:
            raise ValueError(f"two reads are named {self.name}")
        declared[self.name] = self

    def check_takes(self, before: int, in_path: Collection[str]) -> None:
        """Raise ValueError where the handler cannot be called with what the framework gives before, and the path's."""
        named = dict.fromkeys([*in_path, *([] if self.known is None else [self.known])])
        try:
            inspect.signature(self.function).bind(*[None] * before, **named)
        except TypeError as error:
            raise ValueError(f"read {self.name}: its route gives its handler {sorted(named)}: {error}") from error

    def publish(self, methods: Collection[str], path: str) -> None:
        """Publish the read at its path; raises ValueError for a route that takes more than GET."""
        if not readers.METHODS.issuperset(methods):
            raise ValueError(f"read {self.name}: a read is a GET, and changes nothing")
        self._guard.reads[self.name] = readers.describe(self.name, self.intent, path)
        self.bound = True

    def told(self, reading: Reading) -> dict[str, Any]:
        """Give who reads, under the name by which the handler takes it; nothing where it does not."""
        return {} if self.known is None else {self.known: reading}

    def _is_reading(self, argument: str) -> bool:
        return self.hints.get(argument) is Reading
