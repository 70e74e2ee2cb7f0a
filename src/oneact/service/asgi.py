"""The guard for plain ASGI, for Starlette and for whatever mounts an ASGI app; translates and decides nothing."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service import endpoints, exchange
from oneact.service.described import DescribedGuard
from oneact.service.exchange import Answer, Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping

    from oneact.service.act import Reading
    from oneact.service.guard import GuardCore

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Guard(DescribedGuard["Endpoint"]):
    """The guard with its ASGI face: `app`, `lifespan` and the decorator `asgi`. Settings are `GuardCore`'s."""

    @property
    def app(self) -> App:
        """Give the service's own addresses as an ASGI app."""
        return App(self)

    @contextlib.asynccontextmanager
    async def lifespan(self, _: object = None) -> AsyncIterator[None]:
        """Start with the application and stop with it: `Starlette(lifespan=guard.lifespan)`."""
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    asgi = DescribedGuard.described

    def asgi_read(
        self, name: str, *, intent: str, path: str
    ) -> Callable[[Callable[[Request, Reading], Any]], ReadEndpoint]:
        """Guard `handler(request, reading)` of a read and give an ASGI endpoint for its route, a GET.

        `intent` is one line for the person, `path` where the route stands. The handler changes nothing, and gives what
        the handler of an action may give. Raises ValueError for a name that is taken, or what cannot be published.
        """
        self.publish_read(name, intent, path)
        return lambda handler: ReadEndpoint(self, name, handler)

    def _endpoint(self, name: str) -> Endpoint:
        """Give the ASGI endpoint of an action."""
        return Endpoint(self, name)


class App:
    """The service's own addresses as an ASGI app, which follows the server's lifespan where it is run alone."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live one lifespan."""
        if scope["type"] == "lifespan":
            await _follow_lifespan(self._guard, receive, send)
        elif scope["type"] == "http":
            await respond(scope, receive, send, lambda request: endpoints.answer(self._guard, request))


class Endpoint:
    """The ASGI endpoint of one guarded action; a router gives it the path's values in `scope["path_params"]`."""

    def __init__(self, guard: Guard, name: str) -> None:
        self._guard = guard
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request to the action's own route."""
        path = {name: str(value) for name, value in scope.get("path_params", {}).items()}
        await respond(scope, receive, send, lambda request: self._guard.acted(self._name, path, request))


class ReadEndpoint:
    """The ASGI endpoint of one read."""

    def __init__(self, guard: Guard, name: str, handler: Callable[[Request, Reading], Any]) -> None:
        self._guard, self._name, self._handler = guard, name, handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request to the read's own route."""
        name, handler = self._name, self._handler
        await respond(scope, receive, send, lambda request: self._guard.read_by(name, handler, request))


async def respond(scope: Scope, receive: Receive, send: Send, answer: Callable[[Request], Awaitable[Answer]]) -> None:
    """Read one request, have it answered, send the answer."""
    try:
        found = await answer(await read(scope, receive))
    except Refusal as refusal:
        found = exchange.refused(refusal, scope["method"], head(scope).path)
    await write(found, send)


async def write(found: Answer, send: Send) -> None:
    """Send an answer."""
    named = [("content-type", found.content_type)] if found.body else []
    headers = [*named, ("content-length", str(len(found.body))), *found.headers]
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": found.status, "headers": encoded})
    await send({"type": "http.response.body", "body": found.body})


async def read(scope: Scope, receive: Receive) -> Request:
    """Read a whole request; refuses `request_too_large` over 256 KiB."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Refusal(Reason.REQUEST_MALFORMED, "the caller went away")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > canonical.MAX_OCTETS:
            raise Refusal(Reason.REQUEST_TOO_LARGE, f"{len(body)} octets")
    request = head(scope)
    return replace(request, body=bytes(body), native=request)


def head(scope: Scope) -> Request:
    """Give what stands in an ASGI scope, without a body; the path without the prefix under which an app is mounted."""
    sent = (scope.get("raw_path") or quote(scope["path"], safe=exchange.UNQUOTED).encode()).partition(b"?")[0]
    path = exchange.below(sent, scope.get("root_path", "").encode()).decode("latin-1")
    return Request(
        method=scope["method"],
        path=path,
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]),
        body=b"",
        client=(scope.get("client") or ("", 0))[0],
        scope=scope,
    )


async def _follow_lifespan(guard: GuardCore, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await guard.start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await guard.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
