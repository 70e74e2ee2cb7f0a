"""Requests over streamable HTTP as revision 2026-07-28 has them: each stands for itself, all share one server.

The identifiers and progress tokens of different clients may be the same, so that each request goes on under its own.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mcp.shared.inbound import (
    ERROR_CODE_HTTP_STATUS,
    InboundLadderRejection,
    classify_inbound_request,
    find_duplicated_routing_header,
    validate_mcp_param_headers,
)

from oneact.gateway.mcp import http
from oneact.gateway.mcp.messages import (
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    Invalid,
    Lost,
    Message,
    encode,
    failure,
    is_request,
    is_response,
    meta_of,
    notification,
    params_of,
    parse,
)
from oneact.gateway.mcp.relay import Relay

if TYPE_CHECKING:
    from oneact.gateway.mcp.proxy import Proxy
    from oneact.gateway.mcp.upstream import Connect
    from oneact.service.asgi import Receive, Scope, Send

MOST: Final = 200
SESSION: Final = "exchanges"  # who shows the secret is one, as far as a protocol without sessions can tell
_QUEUE: Final = 256
_PING: Final = 15.0  # seconds after which a silent answer shows that it is alive
_SUBSCRIPTION: Final = "io.modelcontextprotocol/subscriptionId"
_MISMATCH: Final = -32020
_EVENTS: Final = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache, no-transform")]


@dataclass(slots=True)
class _Exchange:
    """One request under way: its own identifier and token, and what came for it."""

    identifier: Any
    token: Any
    found: asyncio.Queue[Message] = field(default_factory=lambda: asyncio.Queue(_QUEUE))


class Exchanges:
    """All requests of one listener."""

    def __init__(self, proxy: Proxy, connect: Connect) -> None:
        self._proxy = proxy
        self._relay = Relay(proxy, SESSION, connect, self._to_client)
        self._count = itertools.count(1)
        self._open: dict[str, _Exchange] = {}

    async def close(self) -> None:
        """End the server."""
        await self._relay.close()

    async def answer(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "POST":
            await http.answer(send, 405)
            return
        try:
            [message] = parse(body)
        except (Invalid, ValueError):
            await _whole(send, failure(None, INVALID_REQUEST, "one message of JSON-RPC"))
            return
        if not is_request(message):
            await http.answer(send, 202)
            return
        refused = self._refusal(scope, message)
        if refused is not None:
            await _whole(send, refused)
        elif len(self._open) >= MOST:
            await http.answer(send, 503)
        else:
            await self._answer(message, receive, send)

    def _refusal(self, scope: Scope, message: Message) -> Message | None:
        """Refuse a request whose header fields say otherwise than it does itself."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        lines = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        repeated = find_duplicated_routing_header(lines)
        if repeated is not None:
            return failure(message["id"], _MISMATCH, f"{repeated} header appears more than once")
        found: Any = classify_inbound_request(message, headers=headers)
        if not isinstance(found, InboundLadderRejection):
            if message["method"] == "initialize":  # the revisions before begin so
                return failure(message["id"], METHOD_NOT_FOUND, "initialize is no method of this revision")
            params = params_of(message)
            tool = self._proxy.pins.tool(str(params.get("name"))) if message.get("method") == "tools/call" else None
            arguments = params.get("arguments")
            if tool is None or not isinstance(arguments, dict | None):
                return None
            found = validate_mcp_param_headers(tool.get("inputSchema"), arguments or {}, headers)
        if not isinstance(found, InboundLadderRejection):
            return None
        said = failure(message["id"], found.code, found.message)
        return said if found.data is None else {**said, "error": {**said["error"], "data": found.data}}

    async def _answer(self, message: Message, receive: Receive, send: Send) -> None:
        name = f"h{next(self._count)}"
        exchange = self._open[name] = _Exchange(message["id"], meta_of(message).get("progressToken"))
        leaving = asyncio.ensure_future(_left(receive))
        telling = asyncio.ensure_future(_tell(exchange, send))
        try:
            await self._relay.from_client(_renamed(message, name))
            await asyncio.wait({leaving, telling}, return_when=asyncio.FIRST_COMPLETED)
            if not telling.done():  # to close the answer is how a client cancels
                await self._relay.from_client(notification("notifications/cancelled", {"requestId": name}))
        finally:
            self._open.pop(name, None)
            leaving.cancel()
            telling.cancel()
            await asyncio.gather(leaving, telling, return_exceptions=True)

    async def _to_client(self, message: Message) -> None:
        """Give a message to the request that it belongs to; one that belongs to none to the latest."""
        params = params_of(message)
        meta = meta_of(message)
        if is_response(message):
            name, given = message.get("id"), message
        elif message.get("method") == "notifications/progress":
            name, given = params.get("progressToken"), message
        else:
            name, given = meta.get(_SUBSCRIPTION) or next(reversed(self._open), None), message
        exchange = self._open.get(name) if isinstance(name, str) else None
        if exchange is None:
            raise Lost("nobody waits for this")
        if is_response(message):
            given = {**message, "id": exchange.identifier}
        elif message.get("method") == "notifications/progress":
            given = {**message, "params": {**params, "progressToken": exchange.token}}
        if _SUBSCRIPTION in meta:
            told = {**meta, _SUBSCRIPTION: exchange.identifier}
            given = {**given, "params": {**params, "_meta": told}}
        if is_response(message) or exchange.found.qsize() < _QUEUE - 1:  # one place is for the answer; nobody waits
            exchange.found.put_nowait(given)


async def _tell(exchange: _Exchange, send: Send) -> None:
    """Send what comes: an answer alone as JSON, what comes before it as events."""
    first = await _next(exchange)
    if first is not None and is_response(first):
        await _whole(send, first)
        return
    await send({"type": "http.response.start", "status": 200, "headers": _EVENTS})
    message = first
    while True:
        octets = b": ping\r\n\r\n" if message is None else b"event: message\r\ndata: " + encode(message) + b"\r\n\r\n"
        over = message is not None and is_response(message)
        await send({"type": "http.response.body", "body": octets, "more_body": not over})
        if over:
            return
        message = await _next(exchange)


async def _next(exchange: _Exchange) -> Message | None:
    try:
        return await asyncio.wait_for(exchange.found.get(), _PING)
    except TimeoutError:
        return None


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _whole(send: Send, message: Message) -> None:
    error = message.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    await http.answer(send, ERROR_CODE_HTTP_STATUS.get(code, 200) if isinstance(code, int) else 200, encode(message))


def _renamed(message: Message, name: str) -> Message:
    meta = meta_of(message)
    told = {**meta, "progressToken": name} if "progressToken" in meta else meta
    return {**message, "id": name, "params": {**params_of(message), "_meta": told}}
