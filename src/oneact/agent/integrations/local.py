"""An agent's own functions as a service of its own, in its own process: what is approved there stops the model alone.

A guard on loopback, which the person links once. The agent asks as itself, with its key, as it asks any service: the
person sees its name, and the twelve checks, the one spend and the receipt are those of every act.
"""

from __future__ import annotations

import asyncio
import json
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx

from oneact.agent.errors import OutcomeUnknown, Refused, Unreachable, as_refused
from oneact.agent.integrations import door
from oneact.errors import Reason
from oneact.protocol import canonical
from oneact.service import Answer, Guard, endpoints
from oneact.service.guarded import Guarded
from oneact.service.mcp import shape, texts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from oneact.agent.agent import Agent
    from oneact.agent.client import Shell
    from oneact.agent.result import Result
    from oneact.service import Act
    from oneact.service.mcp.shape import Shape

CHECKED: Final = "Checked inside the agent: stops the model, not a hostile program"
DEADLINE: Final = 600
_LINKING: Final = 600  # seconds in which a person comes to link an agent's functions
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass
class Call:
    """One call of a function: its `arguments` in JSON form, and `run`, which is given those that were approved.

    `still` tells whether the caller's own arguments are what they were. `encode` puts what the function gives into JSON
    and `decode` reads it, for a caller whose call was run by another. `intent` and `summary` are what the person reads.
    """

    tool: str
    schema: Mapping[str, Any]
    arguments: dict[str, Any]
    run: Callable[[dict[str, Any]], Awaitable[Any]]
    intent: str
    summary: str = ""
    still: Callable[[], bool] = lambda: True
    encode: Callable[[Any], Any] = lambda value: value
    decode: Callable[[Any], Any] = lambda value: value
    action: str = field(default="", init=False)
    ran: bool = field(default=False, init=False)
    value: Any = field(default=None, init=False)
    error: BaseException | None = field(default=None, init=False)

    async def answer(self, arguments: dict[str, Any]) -> Answer:
        """Run the function with the arguments that were approved."""
        self.ran = True
        try:
            self.value = await self.run(arguments)
        except BaseException as error:
            self.error = error
            raise
        try:
            return Answer(200, json.dumps({"value": self.encode(self.value)}, allow_nan=False).encode())
        except (TypeError, ValueError):  # it has been called: its own caller gets what it gave, and no other can
            return Answer(200, b"{}")


def arguments(text: str) -> dict[str, Any]:
    """Read the arguments that a model has sent as JSON text, numbers with fractions among them; raises `Refused`."""
    with as_refused():
        found = texts.given(text)
    return found if isinstance(found, dict) else {"arguments": found}


def as_shown(arguments: dict[str, Any], again: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Give validated arguments in JSON form; refuses what a framework's validation would then change once more.

    `again` validates such a form and gives it anew: what is shown has to be what runs.
    """
    if not is_same(again(arguments), arguments):
        raise Refused(Reason.PARAMETERS_INVALID.value, "validation changes what it has validated: it cannot be shown")
    return arguments


def check_same(validated: Any, again: Callable[[], Any]) -> None:  # noqa: ANN401 - the author's own
    """Refuse arguments that are others when `again` makes them anew of what is shown, though their JSON is the same.

    Of two models with the same members that could be either of them; of a subclass it would be less.
    """
    try:
        same = bool(again() == validated)
    except (TypeError, ValueError):  # pydantic's too
        same = False
    if not same:
        raise Refused(Reason.PARAMETERS_INVALID.value, "what is shown would be made into other arguments than these")


def is_same(one: Any, other: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell whether two values have the same JSON."""
    try:
        return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    except (TypeError, ValueError):
        return False


_CALL: ContextVar[Call | None] = ContextVar("oneact_call", default=None)


class Functions:
    """The service of an agent's functions; `on_link` is given the address where the person links it, once.

    `folder` keeps its key, its spends and its port. Only one process at a time serves one folder.
    """

    def __init__(self, agent: Agent, shell: Shell, folder: Path, on_link: Callable[[str], None]) -> None:
        self._agent, self._shell, self._folder, self.on_link = agent, shell, folder, on_link
        self._opening = asyncio.Lock()
        self._guard: Guard | None = None
        self._door: door.Door | None = None
        self._serving: tuple[Any, asyncio.Task[None]] | None = None
        self._linked = asyncio.Event()
        self._shapes: dict[str, tuple[Shape, Guarded]] = {}

    async def call(self, call: Call, *, reason: str = "", key: str = "", keep: bool = False, wait: int = 600) -> Any:  # noqa: ANN401 - what the function gives
        """Have a function called once the person has approved exactly these arguments; give what it gives.

        Raises what `agent.act` raises, and what the function raises.
        """
        guard = await self._open()
        await self._until_linked(guard)
        with as_refused():
            shaped = await self._shaped(guard, call)
            parameters = shaped.parameters(call.arguments)
        call.action = shaped.action.name
        marked = _CALL.set(call)
        try:
            result = await self._agent.act(
                guard.resource, shaped.action.name, parameters,
                reason=reason, wait=wait, idempotency_key=key, keep=keep, together=True, still=call.still,
            )  # fmt: skip
        except OutcomeUnknown as unknown:
            if call.error is not None:
                raise call.error from unknown
            raise
        except Refused as refused:
            if refused.link_uri and self._door is not None:
                refused.link_uri = ""  # whoever reads this may be the model; the person is shown the way in
                self.on_link(self._door.address())
            raise
        finally:
            _CALL.reset(marked)
        return call.value if call.ran else call.decode(_value(result))

    async def close(self) -> None:
        """Stop serving; what was approved and has begun is finished."""
        if self._serving is not None:
            await door.ended(*self._serving)
            self._serving = None
        if self._guard is not None:
            await self._guard.stop()
            self._guard = None

    async def _open(self) -> Guard:
        async with self._opening:
            if self._guard is None:
                if urlsplit(self._shell.issuer).hostname not in _LOCAL:
                    raise Refused(
                        Reason.ADDRESS_FORBIDDEN.value,
                        "an approval server elsewhere cannot reach this agent's functions",
                    )
                self._guard = await self._opened()
            return self._guard

    async def _opened(self) -> Guard:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = self._folder / "port"
        try:
            bound = door.bound(int(kept.read_text("ascii")) if kept.exists() else 0)
        except OSError as error:
            raise Unreachable(f"another process serves the functions of {self._folder}") from error
        port = bound.getsockname()[1]
        kept.write_text(f"{port}\n", "ascii")
        self._door = door.Door(port, "This computer")
        guard = Guard(
            resource=f"http://localhost:{port}",
            name=f"Functions of the agent {self._agent.fingerprint}",
            key=self._folder / "service.jwk",
            store=self._folder / "service.db",
            account=self._door.account,
            issuers=[self._shell.issuer],
            notify=self._told,
        )
        try:
            await guard.start()
        except BaseException:
            bound.close()
            raise
        running = door.server(self._door.app(guard))
        self._serving = running, asyncio.create_task(running.serve([bound]))
        self._shell.attach(guard.resource, httpx.ASGITransport(guard.app))
        return guard

    def _told(self, _: str, event: str) -> None:
        if event == "linked":
            self._linked.set()

    async def _until_linked(self, guard: Guard) -> None:
        """Show the person where they link these functions, and wait until they have."""
        if await guard.store.links(door.PERSON) or self._door is None:
            return
        self._linked.clear()
        self.on_link(self._door.address())
        try:
            await asyncio.wait_for(self._linked.wait(), _LINKING)
        except TimeoutError as error:
            raise Refused(
                Reason.ACCOUNT_NOT_LINKED.value, "its person has not linked this agent's functions yet"
            ) from error

    async def _shaped(self, guard: Guard, call: Call) -> Shape:
        """Give the action of a function; one that comes with another schema or other words is another action."""
        said = canonical.sha256(json.dumps([call.schema, call.intent, call.summary], sort_keys=True).encode())
        if f"{call.tool} {said}" not in self._shapes:
            name = call.tool if shape.name_of(call.tool) not in guard.actions else f"{call.tool} {said}"
            summary = ". ".join(text for text in (call.summary.rstrip("."), CHECKED) if text)
            try:
                made = shape.of_tool(name, call.schema, intent=call.intent, summary=summary, path=endpoints.ACT_PATH)
            except ValueError:  # whole, as one text of JSON
                made = shape.of_tool(name, {}, intent=call.intent, summary=CHECKED, path=endpoints.ACT_PATH)
            guarded = Guarded(made.action, made.normalise, _run(made), deadline=DEADLINE)
            guard.register(guarded)
            self._shapes[f"{call.tool} {said}"] = made, guarded
            await guard.store.keep_action(made.action.digest, made.action.document, guard.now())
        return self._shapes[f"{call.tool} {said}"][0]


def _run(shaped: Shape) -> Callable[[dict[str, Any], Act], Awaitable[Answer]]:
    async def run(parameters: dict[str, Any], _: Act) -> Answer:
        call = _CALL.get()
        if call is None or call.action != shaped.action.name:
            raise RuntimeError("an act came in that this process has not called for")
        return await call.answer(shaped.arguments(parameters))

    return run


def _value(result: Result) -> Any:  # noqa: ANN401 - what the function gave
    """Read what a function gave when another caller had it run; it is not repeated for that."""
    kept = {} if result.body is None else result.json()
    if "value" not in kept:
        raise OutcomeUnknown(result.txn, "it was executed before, and what it gave is not kept")
    return kept["value"]
