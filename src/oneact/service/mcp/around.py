"""What stands around the HTTP endpoint of an MCP server: the guard's own addresses, and what is said by a status.

It also keeps pages of other sites away from the endpoint, by `Host` and `Origin`: a name that is made to lead to this
machine (DNS rebinding) is not one of the server's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from oneact.errors import Reason, Refusal
from oneact.fetch import LOCAL_NAMES
from oneact.protocol import metadata
from oneact.service import asgi, askers, endpoints, exchange
from oneact.service.mcp import presented
from oneact.service.mcp.replying import Reply

if TYPE_CHECKING:
    from collections.abc import Collection

    from oneact.service.asgi import Receive, Scope, Send
    from oneact.service.exchange import Request
    from oneact.service.mcp.guard import Guard

_WELL_KNOWN: Final = "/.well-known/"
_ACCEPT: Final = "accept-txn-challenge"


class Around:
    """An ASGI application around another, which serves MCP at `path` below the root.

    `hosts` are further values of `Host`, `origins` of `Origin`, beside those of the guard's resource.
    """

    def __init__(self, guard: Guard, app: Any, path: str, hosts: Collection[str], origins: Collection[str]) -> None:  # noqa: ANN401 - any ASGI application
        self._guard, self._app, self._path = guard, app, path.rstrip("/")
        parts = urlsplit(guard.resource)
        self._base = unquote(parts.path.rstrip("/"))  # as `path` has it in a scope
        own = {parts.netloc.lower()}
        if parts.hostname in LOCAL_NAMES:
            port = "" if parts.port is None else f":{parts.port}"
            own |= {f"{name}{port}" for name in ("localhost", "127.0.0.1", "[::1]")}
        self._hosts = own | {host.lower() for host in hosts}
        self._origins = {f"{parts.scheme}://{host}" for host in own} | set(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or live one lifespan: the other application's, with the guard's within it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, self._living(send))
            return
        path = scope["path"] if scope["type"] == "http" else ""
        if self._is_own(path):
            await self._guard.app({**scope, "root_path": self._base}, receive, send)
        elif path.removeprefix(scope.get("root_path", "")).rstrip("/") == self._path:
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the MCP endpoint."""
        head = asgi.head(scope)
        try:
            self._check_site(head)
            brought = presented.with_headers(head, self._guard.resource)
            if scope["method"] != "POST" or not brought.headers:
                await self._app(scope, receive, send)
                return
            read = await asgi.read(scope, receive)
            called = _called(read.body)
            asks = bool(head.values(_ACCEPT)) and askers.is_asking(brought)
            offered = await self._guard.offer(*called, brought) if called is not None and asks else None
        except Refusal as refusal:
            await asgi.write(exchange.refused(refusal, head.method, head.path), send)
            return
        again = _again(read.body, receive)
        if offered is not None:
            await asgi.write(offered, send)
        elif called is None or asks:
            await self._app(scope, again, send)
        else:
            reply = Reply(send, self._guard.offers.metadata_uri)
            await self._app(reply.within(scope), again, reply.send)

    def _check_site(self, head: Request) -> None:
        hosts, origins = head.values("host"), head.values("origin")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts or not self._origins.issuperset(origins):
            raise Refusal(Reason.CSRF, f"host {hosts}, origin {origins}")

    def _is_own(self, path: str) -> bool:
        """Tell whether an address is the guard's own; well-known ones stand at the root of the host (RFC 9728, 3.1)."""
        if path.startswith(metadata.SERVICE_PATH + "/") and self._base:
            return path == metadata.SERVICE_PATH + self._base
        for own in endpoints.own_paths(self._guard):
            found = own if own.startswith(_WELL_KNOWN) else self._base + own
            if path == found or (found.endswith("/") and path.startswith(found)):
                return own != metadata.SERVICE_PATH or not self._base
        return False

    def _living(self, send: Send) -> Send:
        async def living(message: Any) -> None:  # noqa: ANN401 - a message of ASGI
            if message["type"] == "lifespan.startup.complete":
                await self._guard.start()
            elif message["type"] == "lifespan.shutdown.complete":
                await self._guard.stop()
            await send(message)

        return living


def _called(body: bytes) -> tuple[str, dict[str, Any]] | None:
    """Give the tool and the arguments that a body calls it with; None for anything else, which the server answers."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    params = message.get("params") if isinstance(message, dict) else None
    if not isinstance(params, dict) or message.get("method") != "tools/call":
        return None
    name, arguments = params.get("name"), params.get("arguments") or {}
    return (name, arguments) if isinstance(name, str) and isinstance(arguments, dict) else None


def _again(body: bytes, receive: Receive) -> Receive:
    """Give a body that has been read once more, then what comes after it."""
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Any:  # noqa: ANN401 - a message of ASGI
        return pending.pop() if pending else await receive()

    return again
