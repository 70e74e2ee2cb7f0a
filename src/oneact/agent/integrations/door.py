"""The local address of an agent's functions: what their approval server reads of them, and their person's way in.

An act never comes this way: it is done in the agent's own process, for a call that was made there.
"""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import uvicorn

from oneact import loopback
from oneact.errors import Reason, Refusal
from oneact.service import LocalAccount, asgi, endpoints, exchange
from oneact.service.exchange import Answer, Request

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Iterator

    from oneact.service import Guard
    from oneact.service.asgi import Receive, Scope, Send

PERSON: Final = "person"
_START: Final = "/start"
_LINK: Final = "/oneact/link"


class Door:
    """Signs the person in by a secret in an address that is shown to them alone, good once."""

    def __init__(self, port: int, label: str) -> None:
        self._names = {f"localhost:{port}", f"127.0.0.1:{port}"}
        self._cookie = f"oneact-functions-{port}"
        self._label = label
        self._secret = secrets.token_urlsafe(32)
        self._sessions: dict[str, int] = {}
        self.start = f"http://localhost:{port}{_START}"

    def address(self) -> str:
        """Give the address that the person opens to link these functions. A model is never told it."""
        return f"{self.start}?key={self._secret}"

    def account(self, request: Request) -> LocalAccount | None:
        """Tell who is signed in in a browser."""
        at = self._sessions.get(request.cookie(self._cookie) or "")
        return None if at is None else LocalAccount(PERSON, self._label, at)

    async def enter(self, request: Request) -> Answer:
        """Sign the browser in that has the secret, and lead it to the link page."""
        [given] = parse_qs(request.query).get("key", [""])[:1]
        if request.method != "GET" or not secrets.compare_digest(given.encode(), self._secret.encode()):
            raise Refusal(Reason.SESSION_REQUIRED, "no such key")
        session, self._secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._sessions[session] = int(time.time())
        cookie = f"{self._cookie}={session}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"
        headers = (("Location", _LINK), ("Set-Cookie", cookie), ("Cache-Control", "no-store"))
        return Answer(303, headers=(*headers, ("Referrer-Policy", "no-referrer")))

    def app(self, guard: Guard) -> Any:  # noqa: ANN401 - an ASGI app
        """Give what is served at the local address."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            head = asgi.head(scope)
            if head.path == _START:
                await asgi.respond(scope, receive, send, self.enter)
            elif head.path == endpoints.ACT_PATH or head.value("host") not in self._names:
                await asgi.respond(scope, receive, send, _nothing)
            else:
                await guard.app(scope, receive, send)

        return answer


async def _nothing(request: Request) -> Answer:
    return exchange.refused(Refusal(Reason.ADDRESS_UNKNOWN, request.path), request.method, request.path)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program in which this server is a guest."""
        yield


def bound(port: int) -> socket.socket:
    """Bind a port of loopback, any where it is 0; raises OSError where it is taken."""
    return loopback.bind(port)


def server(app: Any) -> uvicorn.Server:  # noqa: ANN401 - an ASGI app
    """Make the server of a local address; it writes no log of its own."""
    return _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1))


async def ended(running: uvicorn.Server, task: asyncio.Task[None]) -> None:
    """Have the server end."""
    running.should_exit = True
    await task
