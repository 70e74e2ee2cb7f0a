"""One decorated function: its arguments by name, in JSON form, and back again as what it takes."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import typing
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from pydantic import ConfigDict, PydanticUserError, TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError
from pydantic_core import to_jsonable_python
from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from oneact.agent.integrations.local import Call, check_same

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oneact.agent.integrations.local import Functions

_P = ParamSpec("_P")
_R = TypeVar("_R")
_ANY_NAME = frozenset({inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL})


class Approved:
    """A function whose calls a person approves, each with exactly its arguments.

    Raises ValueError, when it is made, for a function whose arguments could not all be shown.
    """

    def __init__(self, function: Callable[..., Any], intent: str, summary: str) -> None:
        self._function = function
        self._signature = inspect.signature(function)
        self._intent = intent or f"Call {function.__name__}"
        self._summary = summary
        if any(found.kind in _ANY_NAME for found in self._signature.parameters.values()):
            raise ValueError(f"{function.__name__}: its arguments are named one by one, or they could not be shown")
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise ValueError(f"{function.__name__}: it would run when it is iterated, not within its act")
        try:
            hints = typing.get_type_hints(function, include_extras=True)
            self._arguments = _adapter(self._signature, hints)
            self._schema = self._arguments.json_schema()
            self._returned: TypeAdapter[Any] = TypeAdapter(hints.get("return", Any))
        except (NameError, PydanticSchemaGenerationError, PydanticUserError) as error:
            raise ValueError(f"{function.__name__}: what it takes or gives has no JSON form ({error})") from error

    async def __call__(self, functions: Functions, how: dict[str, Any], *given: Any, **named: Any) -> Any:  # noqa: ANN401 - the author's own
        """Have it called once the person has approved; `how` is as in `Functions.call`."""
        bound = self._signature.bind(*given, **named)
        bound.apply_defaults()
        asked = self._shown(bound.arguments)
        call = Call(
            self._function.__name__, self._schema, asked, self._run, self._intent, self._summary,
            still=lambda: self._is_still(bound.arguments, asked),
            encode=to_jsonable_python,
            decode=self._returned.validate_python,
        )  # fmt: skip
        return await functions.call(call, **how)

    def _shown(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Give validated arguments in JSON form; refuses what would be another thing when it is made anew of that."""
        validated = self._arguments.validate_python(arguments)
        found: dict[str, Any] = self._arguments.dump_python(validated, mode="json")
        check_same(validated, lambda: self._arguments.validate_python(found))
        return found

    def _json(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Give validated arguments in JSON form; raises pydantic's ValidationError."""
        validated = self._arguments.validate_python(arguments)
        found: dict[str, Any] = self._arguments.dump_python(validated, mode="json")
        return found

    def _is_still(self, arguments: dict[str, Any], asked: dict[str, Any]) -> bool:
        try:
            return _text(self._json(arguments)) == _text(asked)
        except ValueError:
            return False

    async def _run(self, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - the author's own
        """Call the function with what was approved, made anew: nothing that the caller can still change."""
        made = self._arguments.validate_python(arguments)
        bound = self._signature.bind_partial()
        bound.arguments.update(made)
        if inspect.iscoroutinefunction(self._function):
            return await self._function(*bound.args, **bound.kwargs)
        found = await asyncio.to_thread(self._function, *bound.args, **bound.kwargs)
        return await found if inspect.isawaitable(found) else found


def approved(
    functions: Callable[[], Functions], intent: str, summary: str, how: dict[str, Any]
) -> Callable[[Callable[_P, Awaitable[_R] | _R]], Callable[_P, Awaitable[_R]]]:
    """Make the decorator of a function; `functions` gives their service when one is called."""

    def decorate(function: Callable[_P, Awaitable[_R] | _R]) -> Callable[_P, Awaitable[_R]]:
        made = Approved(function, intent, summary)

        @functools.wraps(function)
        async def call(*given: _P.args, **named: _P.kwargs) -> _R:
            found: _R = await made(functions(), how, *given, **named)
            return found

        return call

    return decorate


def _adapter(signature: inspect.Signature, hints: dict[str, Any]) -> TypeAdapter[Any]:
    fields = {name: hints.get(name, Any) for name in signature.parameters}
    made = TypedDict("Arguments", fields)  # type: ignore[misc]  # its members are known at run time alone
    made.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]  # as pydantic looks for it
    return TypeAdapter(made)


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True)
