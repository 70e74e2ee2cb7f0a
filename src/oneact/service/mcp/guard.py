"""The guard in front of the tools of an MCP server, whichever library serves it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from oneact.errors import Reason, Refusal
from oneact.service import asgi, endpoints, exchange
from oneact.service.guarded import DEADLINE
from oneact.service.mcp import answers, presented
from oneact.service.mcp.around import Around
from oneact.service.mcp.calling import calling, running
from oneact.service.mcp.declared import Declared, declared_of
from oneact.service.mcp.entry import Entry, Listed
from oneact.service.mcp.listening import OnePerson, listening
from oneact.service.mcp.policy import Policy
from oneact.service.mcp.tasking import making
from oneact.service.mcp.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from contextlib import AbstractAsyncContextManager

    from oneact.protocol.canonical import Json
    from oneact.service.exchange import Answer, Request
    from oneact.service.mcp.answers import Result
    from oneact.service.mcp.calling import Call
    from oneact.service.mcp.policy import Rule

_FACES: Final = {"fastmcp": "oneact.service.mcp.fastmcp", "mcp": "oneact.service.mcp.sdk"}


class Face(Protocol):
    """An MCP server as the guard sees it; `authorizes` where it asks for an authorization of its own over HTTP."""

    authorizes: bool

    async def tools(self) -> list[Listed]:
        """Give the server's tools."""
        ...

    async def tool(self, name: str) -> Listed | None:
        """Give one tool as it stands at this moment."""
        ...

    async def direct(self, name: str, arguments: dict[str, Any]) -> Result:
        """Call a tool without a client's call to go on with, and give its result in JSON."""
        ...


class Guard(asgi.Guard):
    """The guard with its MCP face: `tool` to declare tools with, `protect` to stand in front of a server.

    Settings are `GuardCore`'s. `account` gives the account of the HTTP request in which a call came, out of its
    `scope` or headers; over stdio the request has none of either. A server over stdio, for one person on their own
    machine, gives the id of their account instead, and `show` is then given the address at which they sign in, where
    it is needed; by default it is written to stderr.
    """

    def __init__(
        self,
        *,
        account: Callable[[Any], Any] | str,
        show: Callable[[str], object] | None = None,
        **settings: Any,  # noqa: ANN401 - they are named and typed at GuardCore
    ) -> None:
        super().__init__(account=self._whose, **settings)
        self._person: OnePerson | None = None
        if isinstance(account, str):
            self._person = OnePerson(self, account, show)
            account = self._person.signed_in
        self._whose_request = account
        self.waiting = Waiting(self)
        self._face: Face | None = None
        self._policy: Policy | None = None
        self._deadline = DEADLINE
        self._entries: dict[str, Entry] = {}
        self._published = False

    def tool(  # noqa: PLR0913 - what is published of an action, and the functions behind it
        self,
        *,
        intent: str,
        summary: str = "",
        terms: Callable[..., Any] | None = None,
        terms_schema: Mapping[str, Json] | None = None,
        terms_hold: Callable[..., Any] | None = None,
        display: Mapping[str, str | tuple[str, str]] | None = None,
        reversible: bool = False,
        deadline: int = DEADLINE,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Guard a tool: the server's own decorator stands above, the function's arguments are the act's parameters.

        An argument `act: Act` is given the act, and is no argument of the tool. `terms` takes any of the function's
        arguments and returns what its annotation, or `terms_schema`, describes; `terms_hold` takes the same and
        `terms`. The function runs within an approved act alone, also where `protect` was forgotten.
        """

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            for what, owned in (("the function", function), ("terms=", terms), ("terms_hold=", terms_hold)):
                self.check_owned(f"tool {getattr(function, '__name__', function)}: {what}", owned)
            said = Declared(
                function, intent, summary, terms, terms_schema, terms_hold, display, reversible, deadline
            )  # fmt: skip
            return said.covered()

        return decorate

    def protect(self, server: Any, policy: Mapping[str, Rule] | None = None, *, deadline: int = DEADLINE) -> None:  # noqa: ANN401 - a server of either library
        """Stand in front of every tool of a server of `fastmcp` or `mcp`, before it serves its first request.

        Without a `policy` the tools given to `tool` need an approval, and the others none. With one, each tool is
        `approve`, `allow` or `deny` by its name or its beginning and `*`, and what it does not name is `approve`.
        `deadline` is in seconds, for tools that were not given to `tool`. Raises ValueError for a second server, and
        TypeError for what is no server.
        """
        if self._face is not None:
            raise ValueError("a guard protects one server; give another one a guard of its own")
        self._policy, self._deadline = None if policy is None else Policy(policy), deadline
        self._face = _face_of(self, server)

    def around(
        self,
        app: Any,  # noqa: ANN401 - any ASGI application
        path: str = "/mcp",
        *,
        hosts: Collection[str] = (),
        origins: Collection[str] = (),
    ) -> Around:
        """Give the application to serve in place of `app`, which serves MCP over HTTP at `path` of the same host.

        The guard's own addresses lie beside it. Requests to `path` have to name the guard's resource in `Host`, or one
        of `hosts`, and where they name an `Origin`, the resource's or one of `origins`. Raises ValueError where the
        server publishes metadata of an authorization of its own where the guard's would stand.
        """
        if self._face is not None and self._face.authorizes and not urlsplit(self.resource).path:
            raise ValueError("the server has an authorization of its own: give the guard a resource= with a path")
        return Around(self, app, path, hosts, origins)

    def listen(self, _: object = None) -> AbstractAsyncContextManager[None]:
        """Serve the guard's own addresses on localhost beside a server over stdio: `FastMCP(…, lifespan=guard.listen)`.

        They are served at the port of `resource`, which has to be on this machine.
        """
        return listening(self, self._person)

    def invite(self) -> bool:
        """Show the one person of a server over stdio where to sign in; False where there is no such person."""
        if self._person is not None:
            self._person.invite()
        return self._person is not None

    def _whose(self, request: Any) -> Any:  # noqa: ANN401 - a request, and what the owner gives
        return self._whose_request(request)

    async def start(self) -> None:
        """Publish the server's tools, then start as every guard."""
        if self._face is not None and not self._published:
            for listed in await self._face.tools():
                if self.rule(listed) == "approve":
                    self._enter(listed)
            self._published = True
        await super().start()

    async def stop(self) -> None:
        """Stop following held calls, then stop as every guard."""
        await self.waiting.close()
        await super().stop()

    def rule(self, listed: Listed) -> Rule:
        """Give the rule of a tool: one that was given to `tool` is never simply allowed."""
        declared = declared_of(listed.function) is not None
        if self._policy is None:
            return "approve" if declared else "allow"
        found = self._policy.of(listed.name)
        return "approve" if declared and found == "allow" else found

    def is_denied(self, name: str) -> bool:
        """Tell whether a tool of that name is denied, and not shown."""
        return self._policy is not None and self._policy.of(name) == "deny"

    def is_own(self, name: str, arguments: Mapping[str, Any]) -> bool:
        """Tell whether a call of a tool is the guard's own, on its way to the function, and lets it pass once.

        Middleware in front of the guard may have changed its arguments: then it is not.
        """
        found = running.get()
        if found is None or found.tool != name or found.passed or found.arguments != arguments:
            return False
        found.passed = True
        return True

    async def needs_approval(self, name: str) -> bool:
        """Tell whether a tool is not simply called; so where nobody knows it."""
        try:
            return self.is_denied(name) or await self._entry(name) is not None
        except Refusal:
            return True

    async def answer(self, call: Call) -> Result | None:
        """Answer a call of a tool; None where it needs no approval and goes its way."""
        try:
            answer = await self._answer(call)
        except Refusal as refusal:
            if call.reply is not None:
                call.reply.refuse(exchange.of_refusal(refusal))
            return answers.refused(refusal)
        if answer is None and call.reply is not None:
            await call.reply.go_on()
        return answer

    async def offer(self, name: str, arguments: dict[str, Any], request: Request) -> Answer | None:
        """Answer an HTTP request that asks for an offer to a tool's act; None where no approval is needed."""
        entry = await self._entry(name)
        return None if entry is None else await self.perform(entry.guarded, entry.given(arguments), request)

    async def _answer(self, call: Call) -> Result | None:
        if call.tool == answers.WAIT:
            await self.start()
            return await self.waiting.wait(call)
        if self.is_denied(call.tool) and call.reply is None:
            return answers.denied_by_policy(call.tool)
        entry = await self._entry(call.tool)
        if entry is None:
            return None
        calling.set(call)
        request = presented.request_of(entry.guarded.action, call.meta, call.request, self.resource)
        if request is None and call.making is not None:
            making.set(None)  # what runs in its name later is no task
            return await self.waiting.made(entry, call, call.making)
        if request is None:
            return await self.waiting.answer(entry, call)
        if call.making is not None:
            raise Refusal(Reason.REQUEST_MALFORMED, "a token for what is to be a task")
        answer = await self.perform(entry.guarded, entry.given(call.arguments), request)
        if call.reply is not None and not answers.is_executed(answer):
            call.reply.refuse(answer)
        return answers.of_answer(answer)

    async def _entry(self, name: str) -> Entry | None:
        """Give the action of a tool as it stands; None where it needs no approval.

        Refuses `action_unknown` for a tool that is denied, and where every tool has a rule for one that is not there.
        """
        assert self._face is not None
        await self.start()
        listed = await self._face.tool(name)
        if listed is None and self._policy is None:
            return None
        if listed is None or self.rule(listed) == "deny":
            raise Refusal(Reason.ACTION_UNKNOWN, repr(name))
        if self.rule(listed) == "allow":
            return None
        found = self._entries.get(name)
        if found is None or found.listed != listed:
            found = self._enter(listed)
            action = found.guarded.action
            await self.store.keep_action(action.digest, action.document, self.now())
        return found

    def _enter(self, listed: Listed) -> Entry:
        assert self._face is not None
        made = Entry(
            self, listed, declared_of(listed.function), self._face.direct, path=endpoints.ACT_PATH,
            deadline=self._deadline,
        )  # fmt: skip
        if listed.name in self._entries:  # the server has changed the tool
            del self.actions[made.shape.action.name]
        self.register(made.guarded)
        self._entries[listed.name] = made
        return made


def _face_of(guard: Guard, server: object) -> Face:
    """Give the face for a server's library, of which nothing is imported before."""
    roots = [kind.__module__.partition(".")[0] for kind in type(server).__mro__]
    found = next((_FACES[root] for root in roots if root in _FACES), None)
    if found is None:
        raise TypeError(f"{type(server).__name__} is no server of fastmcp or mcp")
    face: Face = importlib.import_module(found).Face(guard, server)
    return face
