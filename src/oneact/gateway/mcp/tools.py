"""The tools of one proxied server: what the policy and the pins say of each, and its action in front of the person."""

from __future__ import annotations

import contextlib
import contextvars
import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from oneact.errors import Reason, Refusal
from oneact.gateway.mcp import pins
from oneact.protocol.action import MAX_LABEL
from oneact.service.guarded import Guarded
from oneact.service.mcp import answers, shape

if TYPE_CHECKING:
    from oneact.gateway.mcp.messages import Message
    from oneact.gateway.mcp.pins import Pins, Tool
    from oneact.gateway.mcp.policy import Policy
    from oneact.gateway.rules import Rule
    from oneact.service.act import Act
    from oneact.service.exchange import Answer
    from oneact.service.guard import GuardCore
    from oneact.service.mcp.shape import Shape

PATH: Final = "/oneact/tools/{name}"  # where the actions stand in the proofs; nobody is answered there
_RESERVED: Final = "oneact."
_TOLD: Final = 20_000  # characters of a difference in the log; `accept` shows all of it
_LOG: Final = logging.getLogger("oneact.gateway")


class Runs(Protocol):
    """Calls a tool of the server once."""

    async def run(self, tool: str, arguments: dict[str, Any], txn: str) -> Answer:
        """Call it; raises whatever makes it unknown whether the tool did its work."""
        ...


CALLER: Final[contextvars.ContextVar[Runs | None]] = contextvars.ContextVar("oneact-caller", default=None)


class Guarding(NamedTuple):
    """A tool as the guard knows it: its shape, the guarded action, and the digest of the pinned tool it is made of."""

    shape: Shape
    guarded: Guarded
    made_of: str


class Tools:
    """What is known of the tools of one server, for all its clients; `guard` publishes their actions."""

    def __init__(self, policy: Policy, pinned: Pins, guard: GuardCore) -> None:
        self._policy, self._pins, self._guard = policy, pinned, guard
        self._made: dict[str, Guarding] = {}
        self._own = frozenset(guard.actions)

    def see(self, listed: list[Tool], *, complete: bool) -> None:
        """Take note of what the server lists; says on standard error what has changed.

        Raises ValueError for what no list of tools is.
        """
        found = [tool for tool in listed if tool.get("name") != answers.WAIT]
        news = self._pins.see(found, complete=complete)
        if news:
            _LOG.error(
                "THE SERVER HAS CHANGED ITS TOOLS; no tool is called until somebody accepts it "
                "(oneact mcp-proxy accept):\n%s", self._pins.difference()[:_TOLD]
            )  # fmt: skip

    def changed(self) -> list[str]:
        """Give the names of the tools that are not what is pinned; while there are any, none is called."""
        return self._pins.changed()

    def rule(self, name: str) -> Rule:
        """Give what is done with a call; a tool that nobody has seen before passes by no beginning of its name."""
        found = self._policy.rules.of(name)
        if found.rule == "allow" and not found.exact and self._pins.is_new(name):
            return "approve"
        return found.rule

    def listed(self, tool: Tool) -> Tool | None:
        """Give a tool as the client may see it: as it is pinned, untouched where it is so; None for a denied one."""
        name = tool.get("name")
        if not isinstance(name, str) or name == answers.WAIT or self.rule(name) == "deny":
            return None
        pinned = self._pins.tool(name)
        if pinned is None:
            return None
        same = pins.digest({key: value for key, value in tool.items() if key != "_meta"}) == pins.digest(pinned)
        return tool if same else pinned

    def known(self, name: str) -> bool:
        """Tell whether the server has listed a tool."""
        return self._pins.tool(name) is not None

    async def publish(self) -> None:
        """Publish the actions of all tools that can be approved."""
        for name in self._pins.names():
            with contextlib.suppress(Refusal):
                await self.guarding(name)

    async def guarding(self, name: str) -> Guarding:
        """Give a tool's guarded action, published; refuses `action_unknown` for one that the server has not listed."""
        tool = self._pins.tool(name)
        if tool is None:
            raise Refusal(Reason.ACTION_UNKNOWN, name)
        made_of = pins.digest(tool)
        found = self._made.get(name)
        if found is None or found.made_of != made_of:
            found = self._made[name] = self._make(name, tool, made_of)
            action = found.shape.action
            await self._guard.start()
            await self._guard.store.keep_action(action.digest, action.document, self._guard.now())
            self._guard.actions[action.name] = found.guarded
        return found

    def _make(self, name: str, tool: Tool, made_of: str) -> Guarding:
        schema = tool.get("inputSchema")
        words = self._policy.words.get(name)
        intent = (words.intent if words else "") or _intent(name)
        try:
            made = shape.of_tool(
                name,
                schema if isinstance(schema, dict) else {"type": "object"},
                intent=intent,
                path=PATH,
                summary=words.summary if words else "",
                display=words.labels if words else None,
                reversible=words.reversible if words else False,
                foreign=True,
            )
        except ValueError as error:
            raise Refusal(Reason.ACTION_INVALID, str(error)) from error
        if made.action.name in self._own or made.action.name.startswith(_RESERVED):
            raise Refusal(Reason.ACTION_INVALID, f"{made.action.name} is the proxy's own")

        def normalise(given: dict[str, Any]) -> dict[str, Any]:
            if CALLER.get() is None:  # asked for at the proxy's own address, by no client of the proxy
                raise Refusal(Reason.ACTION_UNKNOWN, name)
            return made.normalise(given)

        async def run(parameters: dict[str, Any], act: Act) -> Answer:
            caller = CALLER.get()
            if caller is None:
                raise Refusal(Reason.ACTION_UNKNOWN, name)
            return await caller.run(name, made.arguments(parameters), act.txn)

        # The proxy's own deadline for the server comes first: the guard's is for a proxy that has lost its way.
        return Guarding(made, Guarded(made.action, normalise, run, deadline=self._policy.deadline + 5), made_of)


def _intent(name: str) -> str:
    """Give the line that says what is called: two tools whose long names begin alike differ in it."""
    whole = f"Call the tool {name}"
    return whole if len(whole) <= MAX_LABEL else f"Call the tool {shape.name_of(name)}"


def listing(message: Message) -> list[Tool]:
    """Give the tools in the answer to `tools/list`; raises ValueError for an answer that is none."""
    result = message.get("result")
    found = result.get("tools") if isinstance(result, dict) else None
    if not isinstance(found, list) or not all(isinstance(tool, dict) for tool in found):
        raise ValueError("no list of tools")
    return found
