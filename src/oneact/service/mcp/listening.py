"""A server over stdio, for one person on their own machine: its own addresses on localhost, and who signs in there.

Whoever can call the tools can also fetch from localhost. So the pages know the person by a cookie, and the cookie is
given to whoever opens an address with a secret that is good once, which never goes through the program that calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
import sys
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import uvicorn

from oneact import loopback
from oneact.errors import Reason, Refusal
from oneact.fetch import LOCAL_NAMES
from oneact.protocol import base64url
from oneact.service import asgi, exchange, linking
from oneact.service.act import LocalAccount
from oneact.service.exchange import Answer
from oneact.service.mcp.leaving import withdrawing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from oneact.service.asgi import Receive, Scope, Send
    from oneact.service.exchange import Request
    from oneact.service.mcp.guard import Guard

_START: Final = "/start/"
_GOOD: Final = 600  # seconds


class OnePerson:
    """The one account of a server over stdio, by its id: every call is theirs, a page where its cookie says so.

    `show` is given the address at which the person signs in. What that holds can be read by every process of the
    server, since one of them has the port. Raises ValueError for a server that is not on this machine.
    """

    def __init__(self, guard: Guard, account: str, show: Callable[[str], object] | None) -> None:
        parts = urlsplit(guard.resource)
        if parts.hostname not in LOCAL_NAMES:
            raise ValueError(
                f"account={account!r} is for a server on this machine, and its resource= is {guard.resource}"
            )
        self._guard, self._account, self._show = guard, account, show or _told
        self._cookie = f"oneact-person-{parts.port or 80}"
        self._used: dict[str, int] = {}
        self._session, self._since = "", 0

    def signed_in(self, request: Request) -> LocalAccount | None:
        """Give the account for what comes over stdio, and for a page in the browser that the person signed in with."""
        if request.scope is None:
            return LocalAccount(self._account, self._account, 0)
        given = (request.cookie(self._cookie) or "").encode()
        if not self._session or not hmac.compare_digest(given, self._session.encode()):
            return None
        return LocalAccount(self._account, self._account, self._since)

    def invite(self) -> None:
        """Show the person where to sign in, once within ten minutes; on stderr where `show` says that it could not."""
        said = f"{secrets.token_urlsafe(16)}.{self._guard.now() + _GOOD}"
        code = _code(self._guard.keys.txn_keys[0], said)
        address = f"{self._guard.resource}{_START}{said}.{code}"
        if self._show(address) is False:  # as webbrowser.open says where there is no browser
            _told(address)

    def start(self, path: str) -> Answer:
        """Sign in whoever opens the address that was shown, once, and lead them on; refuses `session_required`."""
        guard, now = self._guard, self._guard.now()
        said, _, code = path.removeprefix(_START).rpartition(".")
        self._used = {used: until for used, until in self._used.items() if until > now}
        right = any(hmac.compare_digest(code.encode(), _code(key, said).encode()) for key in guard.keys.txn_keys)
        if not right or said in self._used or (until := int(said.rpartition(".")[2])) <= now:
            raise Refusal(Reason.SESSION_REQUIRED, "an address that is good no longer")
        self._used[said] = until
        self._session, self._since = secrets.token_urlsafe(32), now
        way = guard.resource + linking.LINK_PATH if guard.own_server is None else f"{guard.own_server}/"
        cookie = f"{self._cookie}={self._session}; Path=/; HttpOnly; SameSite=Lax"
        return Answer(303, headers=(("Location", way), ("Set-Cookie", cookie), ("Cache-Control", "no-store")))


def _code(key: bytes, said: str) -> str:
    return base64url.encode(hmac.digest(key, f"oneact-start-1\n{said}".encode("utf-8", "surrogatepass"), "sha256"))


class Pages:
    """The guard's own addresses and the way in, as an ASGI application that answers to its own name alone."""

    def __init__(self, guard: Guard, person: OnePerson | None) -> None:
        self._guard, self._person = guard, person
        self._host = urlsplit(guard.resource).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        head = asgi.head(scope)
        if head.values("host") != (self._host,):
            other = Refusal(Reason.CSRF, f"host {head.values('host')}")
            await asgi.write(exchange.refused(other, head.method, head.path), send)
        elif self._person is None or not head.path.startswith(_START):
            await self._guard.app(scope, receive, send)
        else:
            await asgi.write(self._started(self._person, head), send)

    def _started(self, person: OnePerson, head: Request) -> Answer:
        try:
            return person.start(head.path)
        except Refusal as refusal:
            return exchange.refused(refusal, head.method, _START)


@contextlib.asynccontextmanager
async def listening(guard: Guard, person: OnePerson | None) -> AsyncIterator[None]:
    """Serve the guard's own addresses at the port of its resource on this machine, as long as the block lasts.

    At its end, and at SIGTERM, what waits for its person is withdrawn. Where another process of the same server has the
    port, that one serves them. Raises ValueError for a resource that is not on this machine.
    """
    parts = urlsplit(guard.resource)
    if parts.hostname not in LOCAL_NAMES or parts.scheme != "http":
        raise ValueError(f"guard.listen is for this machine, and the resource= is {guard.resource}")
    await guard.start()
    try:
        async with _serving(guard, person, parts.port or 80), withdrawing(guard):
            yield
    finally:
        await guard.stop()


@contextlib.asynccontextmanager
async def _serving(guard: Guard, person: OnePerson | None, port: int) -> AsyncIterator[None]:
    try:
        found = loopback.bind(port)
        found.listen()
    except OSError as error:
        _told(f"{guard.resource} is served by another process ({error.strerror})")
        yield
        return
    server = _Server(uvicorn.Config(Pages(guard, person), log_level="critical", lifespan="off", ws="none"))
    serving = asyncio.get_running_loop().create_task(server.serve(sockets=[found]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        found.close()


class _Server(uvicorn.Server):
    """A server within another, to which the signals belong."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def _told(text: Any) -> None:  # noqa: ANN401 - an address
    """Say it where the program that calls the tools does not read: stdout belongs to the protocol."""
    sys.stderr.write(f"oneact: {text}\n")
    sys.stderr.flush()
