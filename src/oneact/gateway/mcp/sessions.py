"""Sessions over streamable HTTP, as revisions before 2026-07-28 have them, by the transport of the `mcp` library."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from typing import TYPE_CHECKING, Any, Final

import anyio
from mcp.server.streamable_http import StreamableHTTPServerTransport
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError

from oneact.gateway.mcp import http
from oneact.gateway.mcp.messages import (
    INTERNAL,
    Invalid,
    Lost,
    Message,
    failure,
    is_request,
    is_response,
    key,
    meta_of,
    params_of,
    parse,
)
from oneact.gateway.mcp.relay import Relay

if TYPE_CHECKING:
    from oneact.gateway.mcp.proxy import Proxy
    from oneact.gateway.mcp.upstream import Connect
    from oneact.service.asgi import Receive, Scope, Send

MOST: Final = 32
IDLE: Final = 1800.0  # seconds after which a session that asks nothing is over
_HEADER: Final = "mcp-session-id"
_LOG: Final = logging.getLogger("oneact.gateway")


class Sessions:
    """All sessions of one listener, each with a server of its own."""

    def __init__(self, proxy: Proxy, connect: Connect) -> None:
        self._proxy, self._connect = proxy, connect
        self._found: dict[str, Session] = {}

    async def answer(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Answer one request, of a session or to begin one."""
        named = http.values(scope, _HEADER)
        session = self._found.get(named[0]) if len(named) == 1 else None
        if named and session is None:
            await http.answer(send, 404, b"Session not found", "text/plain")
            return
        if session is None and len(self._found) >= MOST and not await self._make_room():
            await http.answer(send, 503, b"Too many sessions", "text/plain")
            return
        if session is None:
            session = self._open()
            if not await session.begin(scope, body, receive, send):
                await session.close()
            return
        self._found[named[0]] = self._found.pop(named[0])  # the last in order is the last that was heard of
        await session.answer(scope, body, receive, send)
        if session.transport.is_terminated:
            await session.close()

    async def close(self) -> None:
        """End all of them."""
        await asyncio.gather(*(session.close() for session in list(self._found.values())))

    async def _make_room(self) -> bool:
        """End the session that has been silent for the longest: clients often leave without saying so.

        False where every one of them has a request or a stream open.
        """
        silent = next((session for session in self._found.values() if not session.under_way), None)
        if silent is not None:
            await silent.close()
        return silent is not None

    def _open(self) -> Session:
        name = secrets.token_urlsafe(24)
        found = self._found[name] = Session(self._proxy, self._connect, name, lambda: self._found.pop(name, None))
        return found


class Session:
    """One session; `over` is called at its end."""

    def __init__(self, proxy: Proxy, connect: Connect, name: str, over: Any) -> None:  # noqa: ANN401 - whatever it gives
        self.transport = StreamableHTTPServerTransport(name, idle_timeout=IDLE)
        self.under_way = 0  # requests and streams that are open at this moment
        self._over = over
        self._relay = Relay(proxy, name, connect, self._to_client)
        self._open: dict[str, Any] = {}  # requests whose answers somebody waits for, in order
        self._tokens: dict[str, Any] = {}  # requests by their progress tokens
        self._write: Any = None
        self._running: asyncio.Task[None] | None = None

    async def begin(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> bool:
        """Answer the request that begins it; False where that was refused."""
        ready, status = asyncio.Event(), 500
        self._running = asyncio.get_running_loop().create_task(self._run(ready))
        await ready.wait()

        async def watched(message: Any) -> None:  # noqa: ANN401 - as in ASGI
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self.answer(scope, body, receive, watched)
        return status < 400  # noqa: PLR2004 - the first status that refuses

    async def answer(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Answer one request; its messages are waited for as long as its sender is there."""
        asked: list[Message] = []
        with contextlib.suppress(Invalid):
            asked = [message for message in parse(body) if is_request(message)] if body else []
        for message in asked:
            self._open[key(message["id"])] = message["id"]
            token = meta_of(message).get("progressToken")
            if token is not None:
                self._tokens[key(token)] = message["id"]
        sent = False

        async def replayed() -> Any:  # noqa: ANN401 - as in ASGI
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        self.under_way += 1
        try:
            await self.transport.handle_request(scope, replayed, send)
        finally:
            self.under_way -= 1
            for message in asked:
                self._open.pop(key(message["id"]), None)
                self._tokens.pop(key(meta_of(message).get("progressToken")), None)

    async def close(self) -> None:
        """End it."""
        self._over()
        await self.transport.terminate()
        if self._running is not None and self._running is not asyncio.current_task():
            await asyncio.wait({self._running}, timeout=5)

    async def _run(self, ready: asyncio.Event) -> None:
        try:
            async with self.transport.connect() as (read, write):
                self._write = write
                ready.set()
                with self.transport.idle_scope or anyio.CancelScope():
                    async for found in read:
                        if isinstance(found, SessionMessage):
                            await self._relay.from_client(
                                found.message.model_dump(by_alias=True, mode="json", exclude_unset=True)
                            )
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            pass
        except Exception:  # noqa: BLE001 - one session that fails ends, and no other
            _LOG.exception("a session has failed")
        finally:
            ready.set()
            self._over()
            await self._relay.close()
            await self.transport.terminate()

    async def _to_client(self, message: Message) -> None:
        """Send a message with the answer to which it belongs, as far as that can be told; else by itself."""
        related = None
        if is_response(message):
            if key(message.get("id")) not in self._open:
                raise Lost("nobody waits for this answer")
        elif message.get("method") == "notifications/progress":
            related = self._tokens.get(key(params_of(message).get("progressToken")))
        else:
            related = next(reversed(self._open.values()), None)
        try:
            parsed = jsonrpc_message_adapter.validate_python(message, by_name=False)
        except ValidationError:
            _LOG.warning("the server sent what is no message")
            if not is_response(message):
                return
            parsed = jsonrpc_message_adapter.validate_python(failure(message["id"], INTERNAL, "no message"))
        try:
            await self._write.send(SessionMessage(parsed, ServerMessageMetadata(related_request_id=related)))
        except (anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            raise Lost("the client is gone") from error
