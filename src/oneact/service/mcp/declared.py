"""What an owner says of a tool with `guard.tool`, and what then stands in its function's place."""

from __future__ import annotations

import functools
import inspect
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from oneact.service.act import Act
from oneact.service.mcp.calling import NotApprovedError, running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from oneact.protocol.canonical import Json

MARK: Final = "oneact_tool"


@dataclass(frozen=True, slots=True)
class Declared:
    """What `guard.tool` says of a function: the words of its action, its terms, its deadline in seconds."""

    function: Callable[..., Any]
    intent: str
    summary: str
    terms: Callable[..., Any] | None
    terms_schema: Mapping[str, Json] | None
    terms_hold: Callable[..., Any] | None
    display: Mapping[str, str | tuple[str, str]] | None
    reversible: bool
    deadline: int

    def covered(self) -> Callable[..., Any]:
        """Give what stands in the function's place: it runs within an approved act alone, once, with its arguments.

        The server does not see the argument that takes the act.
        """
        function, hints = self.function, typing.get_type_hints(self.function, include_extras=True)
        more = next((name for name, hint in hints.items() if hint is Act), None)
        own = inspect.signature(function)
        left = [
            found.replace(annotation=hints.get(name, found.annotation))
            for name, found in own.parameters.items()
            if name != more
        ]
        signature = own.replace(parameters=left, return_annotation=hints.get("return", own.return_annotation))

        def run(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the owner's own
            bound = signature.bind(*args, **kwargs)
            act = self._approved(bound.arguments)
            return function(**bound.arguments, **({} if more is None else {more: act}))

        async def run_async(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the owner's own
            return await run(*args, **kwargs)

        covered: Any = functools.wraps(function)(run_async if inspect.iscoroutinefunction(function) else run)
        covered.__signature__ = signature
        covered.__annotations__ = {name: hint for name, hint in hints.items() if name != more}
        setattr(covered, MARK, self)
        return typing.cast("Callable[..., Any]", covered)

    def _approved(self, arguments: Mapping[str, Any]) -> Act:
        found = running.get()
        if found is None or found.used or found.function is not self.function:
            raise NotApprovedError(f"{self.function.__name__} was called without an approved act of its own")
        found.check(arguments)
        found.used = True
        return found.act


def declared_of(function: object) -> Declared | None:
    """Give what was said of the function behind a tool, None where it was not given to `guard.tool`."""
    found = getattr(function, MARK, None)
    return found if isinstance(found, Declared) else None
