"""One tool behind the guard: its action, and the ways from a call to the act and back."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oneact.errors import Reason, Refusal
from oneact.service.askers import asker_argument
from oneact.service.guarded import Guarded
from oneact.service.mcp import answers, shape
from oneact.service.mcp.calling import Running, UnknownOutcomeError, calling, running
from oneact.service.mcp.handler import Handler

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from oneact.protocol.canonical import Json
    from oneact.service.act import Act, Asker
    from oneact.service.exchange import Answer
    from oneact.service.guard import GuardCore
    from oneact.service.mcp.declared import Declared
    from oneact.service.mcp.shape import Shape

    Direct = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Listed:
    """A tool as its server lists it; `function` is what the server calls, None where it is no function of Python.

    `reread` gives arguments as the server's library takes them, where it changes some before it validates them.
    """

    name: str
    says: str
    schema: dict[str, Any]
    function: Callable[..., Any] | None
    reread: Callable[[dict[str, Any]], dict[str, Any]] | None = None


class Entry:
    """A tool and its action at the guard; raises ValueError for what cannot be published.

    `direct(tool, arguments)` calls the tool where there is no call of a client to go on with. `deadline` is in seconds.
    """

    def __init__(
        self, guard: GuardCore, listed: Listed, declared: Declared | None, direct: Direct, *, path: str, deadline: int
    ) -> None:
        self.listed, self._direct = listed, direct
        self._declared = declared
        self._handler = _handler(guard, listed, declared)
        self.shape = _shape(listed, declared, self._handler, path)
        has_terms = declared is not None and declared.terms is not None
        holds = declared is not None and declared.terms_hold is not None
        personal = any(asker_argument(found) for found in _stating(declared))
        self.guarded = Guarded(
            self.shape.action,
            self._normalise,
            self._run,
            self._quote if has_terms else None,
            self._holds if holds else None,
            deadline if declared is None else declared.deadline,
            personal=personal,
        )

    def given(self, arguments: Mapping[str, Any]) -> dict[str, Json]:
        """Give the parameters, not yet validated, for the arguments of a call; refuses `parameters_invalid`."""
        return self.shape.parameters(arguments)

    def _normalise(self, given: dict[str, Any]) -> dict[str, Any]:
        """Validate by the schema, then as the function itself reads it: what is shown is what really runs."""
        fitting = self.shape.normalise(given)
        if self._handler is not None:
            really = self._handler.validated(self.shape.arguments(fitting))
            fitting = self.shape.normalise(self.shape.parameters(really))
        arguments, reread = self.shape.arguments(fitting), self.listed.reread
        if reread is not None and (other := reread(arguments)) != arguments:
            field = next(name for name, value in arguments.items() if other[name] != value)
            raise Refusal(Reason.PARAMETERS_INVALID, f"the server reads the text {field} as JSON", field)
        return fitting

    async def _run(self, parameters: dict[str, Any], act: Act) -> Answer:
        arguments = self.shape.arguments(parameters)
        call, tool = calling.get(), self.listed.name
        check = functools.partial(_unchecked if self._handler is None else self._handler.check, arguments)
        function = None if self._declared is None else self._declared.function
        goes_on = call is not None and call.tool == tool
        if call is not None and call.reply is not None:
            await call.reply.go_on()
        running.set(Running(tool, function, act, check, arguments, passed=goes_on))
        on = call.run if call is not None and goes_on else functools.partial(self._direct, tool)
        result = await on(arguments)
        if result.get("resultType", "complete") != "complete":
            raise UnknownOutcomeError(f"{tool} asked its client for more while it ran")
        return answers.of_result(result)

    async def _quote(self, parameters: dict[str, Any], asker: Asker | None = None) -> dict[str, Any]:
        assert self._handler is not None
        return await self._handler.quote(self.shape.arguments(parameters), asker)

    async def _holds(self, parameters: dict[str, Any], terms: dict[str, Any], asker: Asker | None = None) -> bool:
        assert self._handler is not None
        return await self._handler.holds(self.shape.arguments(parameters), terms, asker)


def _handler(guard: GuardCore, listed: Listed, declared: Declared | None) -> Handler | None:
    """Read the function's own arguments; of one that nobody declared, the schema alone may have to do."""
    function = listed.function if declared is None else declared.function
    properties = listed.schema.get("properties")
    if function is None or not isinstance(properties, dict):
        return None
    try:
        return Handler(guard, listed.name, function, frozenset(properties), declared)
    except (ValueError, TypeError, NameError):
        if declared is not None:
            raise
        return None


def _shape(listed: Listed, declared: Declared | None, handler: Handler | None, path: str) -> Shape:
    """Make the action; what a function has no fixed default for has to be given, or it would not be shown."""
    schema = dict(listed.schema)
    if handler is not None:
        required = schema.get("required", [])
        schema["required"] = [*required, *sorted(handler.must - set(required))]
    if declared is None:
        foreign = listed.function is None
        intent = f"Call the tool {listed.name}" if foreign else listed.says or listed.name
        return shape.of_tool(listed.name, schema, intent=_short(intent), path=path, foreign=foreign)
    assert handler is not None
    return shape.of_tool(
        listed.name,
        schema,
        intent=declared.intent,
        path=path,
        summary=declared.summary,
        display=declared.display,
        terms=handler.terms_schema(declared.terms_schema),
        reversible=declared.reversible,
    )


def _short(text: str) -> str:
    line = " ".join(text.strip().partition("\n")[0].split())
    return line if len(line) <= 80 else line[:79] + "…"  # noqa: PLR2004 - as long as an intent may be


def _stating(declared: Declared | None) -> tuple[Callable[..., Any], ...]:
    found = () if declared is None else (declared.terms, declared.terms_hold)
    return tuple(function for function in found if function is not None)


def _unchecked(*_: object) -> None:
    """Check nothing of a tool whose function was not declared: its server has the arguments from the guard."""
