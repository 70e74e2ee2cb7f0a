"""Whole bodies over ASGI, as the addresses for clients read and answer them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.gateway.mcp.messages import MAX_OCTETS

if TYPE_CHECKING:
    from oneact.service.asgi import Receive, Scope, Send

_UNAUTHORIZED: Final = 401


async def read(receive: Receive) -> bytes | None:
    """Read a whole body; None where it is larger than a message may be, or its sender went away."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_OCTETS:
            return None
    return bytes(body)


async def answer(send: Send, status: int, body: bytes = b"", kind: str = "application/json") -> None:
    """Send a whole answer."""
    headers = [(b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    if status == _UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    if body:
        headers.append((b"content-type", kind.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def values(scope: Scope, name: str) -> list[str]:
    """Give the values of a header field."""
    return [value.decode("latin-1") for found, value in scope["headers"] if found == name.encode()]
