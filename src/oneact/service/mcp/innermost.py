"""The middleware of a server, of which the guard's own stays the innermost: nothing stands between it and the tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, SupportsIndex

if TYPE_CHECKING:
    from collections.abc import Iterable


class Innermost(list[Any]):
    """A server's list of middleware, outermost first, whose last one stays it whatever is added later.

    What stood behind it could change the arguments that were approved, or call the tool more than once.
    """

    def __init__(self, before: Iterable[Any], last: object) -> None:
        super().__init__([*before, last])

    def append(self, found: Any) -> None:  # noqa: ANN401 - any middleware
        """Add one in front of the last."""
        self.insert(len(self), found)

    def extend(self, found: Iterable[Any]) -> None:
        """Add some in front of the last."""
        for each in found:
            self.append(each)

    def insert(self, index: SupportsIndex, found: Any) -> None:  # noqa: ANN401 - any middleware
        """Add one at a place, at most in front of the last."""
        super().insert(min(index.__index__(), len(self) - 1), found)

    def __iadd__(self, found: Iterable[Any]) -> Self:  # type: ignore[misc] # as wide as extend
        """Add some in front of the last."""
        self.extend(found)
        return self
