"""A server that is reached over streamable HTTP, by the transport of the `mcp` library."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, cast

import anyio
import httpx2
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    NAME_BEARING_METHODS,
    encode_header_value,
    find_invalid_x_mcp_header,
    mcp_param_headers,
    x_mcp_header_map,
)
from mcp.shared.message import ClientMessageMetadata, SessionMessage
from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError

from oneact.gateway.mcp.messages import (
    ENDED,
    INTERNAL,
    INVALID_REQUEST,
    MAX_OCTETS,
    MODERN,
    Lost,
    Message,
    params_of,
    version_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_TIMEOUT: Final = httpx2.Timeout(30.0, read=None)  # how long an answer takes is the caller's to bound
_FAILED: Final = (INTERNAL, "Server returned an error response")
_UNREADABLE: Final = "Failed to parse "
_EXPIRED: Final = "Session terminated"  # how the library tells of a session that the server has forgotten


class Remote:
    """A connection to one address; `headers` go with every request."""

    def __init__(self) -> None:
        self._running: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._streams: Any = None
        self._version = ""
        self._mirrored: dict[str, Mapping[tuple[str, ...], str]] = {}
        self._expired = False

    @classmethod
    async def open(cls, url: str, headers: Mapping[str, str]) -> Remote:
        """Prepare a connection; nothing is sent yet."""
        found, ready = cls(), asyncio.Event()
        found._running = asyncio.get_running_loop().create_task(found._run(url, headers, ready))
        await ready.wait()
        return found

    async def send(self, message: Message) -> None:
        """Send a message."""
        try:
            parsed = jsonrpc_message_adapter.validate_python(message, by_name=False)
        except ValidationError as error:
            raise Lost("what the client sent is no message that HTTP carries") from error
        metadata = ClientMessageMetadata(headers=self._headers(message))
        try:
            await self._streams[1].send(SessionMessage(parsed, metadata))
        except (anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            raise Lost("the server cannot be reached") from error

    async def receive(self) -> Message:
        """Give the next message; what is none is passed over."""
        while not self._expired:
            try:
                found = await self._streams[0].receive()
            except (anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
                raise Lost("the server cannot be reached") from error
            if isinstance(found, SessionMessage):
                message = found.message.model_dump(by_alias=True, mode="json", exclude_unset=True)
                self._learn(message)
                return message
        raise Lost("the server has forgotten the session")

    def is_lost(self, message: Message) -> bool:
        """Tell whether an answer is the library's, who found none: the server may have done what it was asked."""
        error = message.get("error")
        said = (error.get("code"), str(error.get("message"))) if isinstance(error, dict) else (None, "")
        return said[0] == ENDED or said == _FAILED or said[1].startswith(_UNREADABLE)

    async def close(self) -> None:
        """End the session."""
        self._closing.set()
        if self._running is not None and self._running is not asyncio.current_task():
            await asyncio.wait({self._running}, timeout=5)
            self._running.cancel()

    async def _run(self, url: str, headers: Mapping[str, str], ready: asyncio.Event) -> None:
        transport = _Bounded()
        try:
            async with (
                httpx2.AsyncClient(headers=dict(headers), timeout=_TIMEOUT, transport=transport) as client,
                streamable_http_client(url, http_client=client, max_sse_event_size=MAX_OCTETS) as self._streams,
            ):
                ready.set()
                await self._closing.wait()
        except (httpx2.HTTPError, BaseExceptionGroup):  # the streams are closed by now, which says as much
            pass
        finally:
            ready.set()

    def _headers(self, message: Message) -> dict[str, str]:
        """Give the fields that repeat what stands in a message, as each revision wants them."""
        version, method = version_of(message) or self._version, message.get("method")
        found = {MCP_PROTOCOL_VERSION_HEADER: version} if version and method != "initialize" else {}
        if version not in MODERN or not isinstance(method, str):
            return found
        found[MCP_METHOD_HEADER] = method
        params = params_of(message)
        name = params.get(NAME_BEARING_METHODS.get(method, ""))
        if isinstance(name, str):
            found[MCP_NAME_HEADER] = encode_header_value(name)
        arguments = params.get("arguments")
        if method == "tools/call" and isinstance(name, str) and isinstance(arguments, dict):
            found.update(mcp_param_headers(self._mirrored.get(name, {}), arguments))
        return found

    def _learn(self, message: Message) -> None:
        result, error = message.get("result"), message.get("error")
        if isinstance(result, dict) and isinstance(result.get("protocolVersion"), str):
            self._version = result["protocolVersion"]
        for tool in result.get("tools", []) if isinstance(result, dict) else []:
            schema = tool.get("inputSchema") if isinstance(tool, dict) else None
            if schema is not None and find_invalid_x_mcp_header(schema) is None:
                self._mirrored[str(tool.get("name"))] = x_mcp_header_map(schema)
        if isinstance(error, dict) and error.get("code") == INVALID_REQUEST and error.get("message") == _EXPIRED:
            self._expired = True


class _Bounded(httpx2.AsyncHTTPTransport):
    """The library's transport, which reads no more of one answer than a message has; streams are bounded by event.

    Nothing is compressed: a few octets of it could be any number.
    """

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request."""
        request.headers["accept-encoding"] = "identity"
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            await response.aclose()
            raise httpx2.ReadError("a compressed answer")
        if not response.headers.get("content-type", "").lower().startswith("text/event-stream"):
            response.stream = _Counted(cast("httpx2.AsyncByteStream", response.stream))
        return response


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        count = 0
        async for octets in self._stream:
            count += len(octets)
            if count > MAX_OCTETS:
                raise httpx2.ReadError(f"more than {MAX_OCTETS} octets")
            yield octets

    async def aclose(self) -> None:
        with contextlib.suppress(RuntimeError):
            await self._stream.aclose()
