"""One client and its server: every message passes unharmed, but for those by which tools are listed and called."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from oneact.gateway.mcp import strict
from oneact.gateway.mcp.approving import Approving, Asking
from oneact.gateway.mcp.messages import (
    CAPABILITIES,
    ENDED,
    INTERNAL,
    INVALID_PARAMS,
    INVALID_REQUEST,
    MAX_OCTETS,
    Lost,
    Message,
    Send,
    encode,
    failure,
    is_request,
    is_response,
    key,
    meta_of,
    params_of,
    response,
    version_of,
)
from oneact.gateway.mcp.tasks import Tasks
from oneact.gateway.mcp.tools import listing
from oneact.gateway.mcp.upstream import Upstream
from oneact.service.mcp import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from oneact.gateway.mcp.proxy import Proxy
    from oneact.gateway.mcp.upstream import Connect

MOST_CALLS: Final = 100
PAGES: Final = 100
LIST_SECONDS: Final = 30.0
_RUNS_ON: Final = 1.5  # seconds in which the requests of a client that is gone are withdrawn
_FAILED: Final = "The proxy has failed. The same call again, with the same arguments, tells what became of it."
_LOG: Final = logging.getLogger("oneact.gateway")


class Relay:
    """The messages of one client, known as `session`; `to_client` is given what is for it."""

    def __init__(self, proxy: Proxy, session: str, connect: Connect, to_client: Send) -> None:
        self._proxy, self._to_client = proxy, to_client
        self.upstream = Upstream(connect, self._from_server)
        self._approving = Approving(proxy, session, self.upstream, self._send, self._walk)
        self._tasks_of_calls = Tasks(proxy, session, self.upstream, self._approving, self._send)
        self._hello: Message = {}
        self._version = ""
        self._greetings: set[str] = set()
        self._listings: dict[str, Message] = {}
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._walking = asyncio.Lock()
        self._continuing: dict[str, Asking] = {}
        self._closed = False
        self._changes = 0  # how often the server has said that its tools have changed
        self._walked = (-1, 0)  # the start of the server, and the change, whose tools have been listed to their end

    async def from_client(self, message: Message) -> None:
        """Take a message of the client's."""
        wrong = strict.fault(message)
        if wrong or (is_request(message) and self.upstream.has(message["id"])):
            if is_request(message):
                said = wrong or "The request before with this id has no answer yet."
                named = message["id"] if isinstance(message["id"], str | int | float) else None
                await self._send(failure(named, INVALID_REQUEST, said))
            return
        try:
            await self._take(message)
        except (RecursionError, ValueError):
            if is_request(message):
                await self._send(failure(message["id"], INVALID_REQUEST, "The message cannot be passed on."))

    async def _take(self, message: Message) -> None:
        method = message.get("method")
        if is_response(message) and self._approving.answered(message):
            return
        if not is_request(message):
            if method == "notifications/cancelled" and self._cancelled(params_of(message).get("requestId")):
                return
            if method != "tools/call":  # one that wants no answer would be a call that nobody has approved
                await self._pass(message)
            return
        name = key(message["id"])
        if method == "tools/call":
            self._call(name, message, self._called)
            return
        if self._tasks_of_calls.takes(message):
            self._call(name, message, self._tasks_of_calls.answer)
            return
        if method == "initialize":
            self._hello = params_of(message)
            self._greetings.add(name)
        elif method == "tools/list":
            self._listings[name] = message
        await self._pass(message)

    async def close(self) -> None:
        """Withdraw what waits for a person, end the server; the client, who may read no more, is told nothing."""
        self._closed = True
        for task in (*self._calls.values(), *self._tasks):
            task.cancel()
        await self._approving.leave(_RUNS_ON)
        await self.upstream.close()

    async def _from_server(self, message: Message) -> None:
        """Take a message of the server's."""
        if message.get("method") == "notifications/tools/list_changed":
            self._changes += 1
        if is_response(message):
            name = key(message.get("id"))
            if name in self._greetings:
                self._greetings.discard(name)
                result = message.get("result")
                self._version = str(result.get("protocolVersion", "")) if isinstance(result, dict) else ""
                self._tasks_of_calls.greeted(result if isinstance(result, dict) else {})
            continued = self._continuing.pop(name, None)
            if continued is not None:
                self._approving.needs_input(continued, message.get("result"))
            asked = self._listings.pop(name, None)
            if asked is not None and "result" in message:
                self._start(self._list(asked, message))  # not here: it waits for answers that are read here
                return
        await self._send(self._tasks_of_calls.from_server(message))

    async def _pass(self, message: Message, generation: int | None = None) -> None:
        try:
            await self.upstream.pass_on(message, generation)
        except Lost as lost:
            _LOG.warning("%s", lost)
            if is_request(message):
                self._listings.pop(key(message["id"]), None)
                self.upstream.forget(message["id"])
                await self._send(failure(message["id"], ENDED, f"The server behind the proxy is not there: {lost}."))

    async def _send(self, message: Message) -> bool:
        """Send to the client; False where it is gone."""
        if self._closed:
            return False
        try:
            await self._to_client(message)
        except Lost:
            return False
        return True

    async def _list(self, asked: Message, answer: Message) -> None:
        """Give the client the tools that it may call, as they are pinned, and the one to wait with at the end."""
        try:
            await self._walk(meta_of(asked))
            tools = self._proxy.tools
            tools.see(listing(answer), complete=False)
            result = dict(answer["result"])
            result["tools"] = [found for tool in listing(answer) if (found := tools.listed(tool)) is not None]
            if not result.get("nextCursor"):
                result["tools"].append(answers.WAIT_TOOL)
            await self._send({**answer, "result": result})
        except (Lost, TimeoutError, ValueError) as error:
            await self._send(failure(asked["id"], INTERNAL, f"The server's tools could not be listed: {error}"))

    async def _walk(self, meta: Message) -> int:
        """List the server's tools to their end, once for each start of it and each time it says that they changed.

        Gives the start of the server whose tools they are: a later one may be another server.
        """
        async with self._walking:
            generation = await self.upstream.start()
            if self._walked == (generation, self._changes):
                return generation
            changes = self._changes
            tools: list[Message] = []
            octets, cursor = 0, None
            said = {name: value for name, value in meta.items() if name != "progressToken"}
            for _ in range(PAGES):
                params = {**({"_meta": said} if said else {}), **({"cursor": cursor} if cursor else {})}
                answer = await self.upstream.ask("tools/list", params, LIST_SECONDS, generation)
                tools += listing(answer)
                octets += len(encode(answer))
                cursor = answer["result"].get("nextCursor")
                if not cursor or octets > MAX_OCTETS:
                    break
            if cursor:
                raise ValueError(f"more than {PAGES} pages, or {MAX_OCTETS} octets")
            self._proxy.tools.see(tools, complete=True)
            self._walked = (generation, changes)
            return generation

    def _call(self, name: str, message: Message, does: Callable[[Message], Coroutine[Any, Any, None]]) -> None:
        if name in self._calls or len(self._calls) >= MOST_CALLS:
            self._start(self._refuse(message))
            return
        task = self._start(self._answered(message, does))
        self._calls[name] = task
        task.add_done_callback(lambda _: self._calls.pop(name, None))

    async def _refuse(self, message: Message) -> None:
        await self._send(failure(message["id"], INVALID_REQUEST, "Too many calls at once, or one id twice."))

    async def _answered(self, message: Message, does: Callable[[Message], Coroutine[Any, Any, None]]) -> None:
        """Answer a call whatever happens: a client would wait for ever."""
        try:
            await does(message)
        except Exception:  # noqa: BLE001 - whatever it was, nobody else would tell
            _LOG.exception("a call could not be answered")
            await self._send(failure(message["id"], INTERNAL, _FAILED))

    async def _called(self, message: Message) -> None:
        """Do what the policy says of a call."""
        params = params_of(message)
        name, arguments = params.get("name"), params.get("arguments", {})
        if not isinstance(name, str) or not isinstance(arguments, dict | None):
            await self._send(failure(message["id"], INVALID_PARAMS, "A call names a tool and its arguments."))
            return
        asking = Asking(message, name, arguments or {}, self._capabilities(message), self._revision(message))
        if name == answers.WAIT:
            await self._approving.waited(asking)
            return
        try:
            generation = await self._walk(meta_of(message))
        except (Lost, TimeoutError, ValueError) as error:
            await self._told(asking, f"The server behind the proxy is not there: {error}. Nothing was done.")
            return
        await self._ruled(asking, generation)

    async def _ruled(self, asking: Asking, generation: int) -> None:
        tools = self._proxy.tools
        rule = tools.rule(asking.tool)
        if changed := tools.changed():
            await self._told(
                asking,
                f"Stopped: the server has changed its tools ({', '.join(map(ascii, changed[:5]))}). Nothing was done, "
                "and no tool of it is called until its owner has looked at the difference and accepted it: "
                f"oneact mcp-proxy accept {self._proxy.name}",
            )
        elif rule == "deny":
            denied = asking.finished(answers.denied_by_policy(asking.tool))
            await self._send(response(asking.message["id"], denied))
        elif not tools.known(asking.tool):
            await self._send(failure(asking.message["id"], INVALID_PARAMS, f"Unknown tool: {asking.tool}"))
        elif rule == "allow":
            await self._pass(asking.message, generation)
        elif self._approving.continues(asking):
            self._continuing[key(asking.message["id"])] = asking
            await self._pass(asking.message, generation)
        elif self._tasks_of_calls.makes(asking):
            await self._tasks_of_calls.make(asking)
        else:
            await self._approving.held(asking)

    async def _told(self, asking: Asking, text: str) -> None:
        result = {"content": [{"type": "text", "text": text}], "isError": True}
        await self._send(response(asking.message["id"], asking.finished(result)))

    def _cancelled(self, identifier: object) -> bool:
        """Give up a call that waits here; False where the server has it."""
        task = self._calls.get(key(identifier))
        if task is None:
            self.upstream.forget(identifier)
            self._listings.pop(key(identifier), None)
            self._continuing.pop(key(identifier), None)
            return False
        task.cancel()
        return True

    def _capabilities(self, message: Message) -> Message:
        found = meta_of(message).get(CAPABILITIES, self._hello.get("capabilities"))
        return found if isinstance(found, dict) else {}

    def _revision(self, message: Message) -> str:
        return version_of(message) or self._version

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
