"""The proxy as a service: its own addresses on this machine, and the page on which its person begins.

Who holds the secret of the start page is the person: it is told to nobody but them, in the terminal and in the browser
that is opened. What opens it is seen by every user of the machine, and is of use to its owner alone.
"""

from __future__ import annotations

import contextlib
import hmac
import secrets
from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import uvicorn

from oneact import loopback
from oneact.errors import Reason, Refusal
from oneact.gateway.mcp import owners
from oneact.service import endpoints, exchange, link_page, linking
from oneact.service.act import LocalAccount
from oneact.service.asgi import respond
from oneact.service.exchange import Answer, Request

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterator

    from oneact.service.asgi import Guard, Receive, Scope, Send

ACCOUNT: Final = "owner"
START_PATH: Final = "/oneact/start"
_MOST: Final = 100  # browsers that are signed in at once
_SIGNED_IN: Final = 3600  # seconds
_PORTS: Final = range(18000, 20000)


class Door:
    """The addresses of one proxy at `resource`; `now` gives the second. It is told its guard once there is one."""

    def __init__(self, resource: str, port: int, label: str, now: Callable[[], int]) -> None:
        self.resource, self._label, self._now = resource, label, now
        self._hosts = {f"localhost:{port}", f"127.0.0.1:{port}", resource.partition("://")[2].partition("/")[0]}
        self._port, self._local = port, resource.startswith("http:")
        self._cookie = f"oneact-proxy-{port}"
        self._secure = "; Secure" if resource.startswith("https:") else ""
        self._secret = secrets.token_urlsafe(32)
        self._browsers: dict[str, int] = {}
        self.guard: Guard | None = None
        self.told: Callable[[], Awaitable[None]] = _nobody  # awaited when the start page may be another, or none

    def start_link(self) -> str:
        """Give the address of the start page, with a secret that signs in once."""
        return f"{self.resource}{START_PATH}?{self._secret}"

    def account(self, native: object) -> LocalAccount | None:
        """Give the account of a request: the proxy's one person, where the browser is signed in."""
        cookie = native.cookie(self._cookie) if isinstance(native, Request) else None
        at = self._browsers.get(cookie or "")
        return None if at is None or self._now() - at > _SIGNED_IN else LocalAccount(ACCOUNT, self._label, at)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, to this machine alone."""
        if scope["type"] == "http":
            caller = scope.get("client") or ("", 0)
            another = scope["path"] == START_PATH and self._local and owners.is_foreign_caller(caller[1], self._port)
            await respond(scope, receive, send, self._turn_away if another else self._check_host)
        elif scope["type"] == "lifespan":
            while True:
                found = await receive()
                await send({"type": f"{found['type']}.complete"})

    async def _turn_away(self, _: Request) -> Answer:
        """Show another user of this machine nothing: they may have seen the address when a browser was opened."""
        return self._page("This address is another user's", "<p>Nothing was changed.</p>", 403)

    async def _check_host(self, request: Request) -> Answer:
        """Refuse a request that a foreign name has led here (DNS rebinding), and lead to the page or to the guard."""
        if request.value("host") not in self._hosts:
            raise Refusal(Reason.ADDRESS_UNKNOWN, "another host's name")
        if request.path == "/":
            return self._page("This is a proxy in front of a tool", "<p>You can close this page.</p>")
        if request.path != START_PATH:
            answer = await self._guarded(request)
            if request.path == linking.CALLBACK_PATH:
                await self.told()
            return answer
        if request.method == "GET":
            return self._start(request)
        if request.method == "POST":
            answer = self._sign_in(request)
            await self.told()
            return answer
        return exchange.of_other_method(request, ["GET", "POST"])

    async def _guarded(self, request: Request) -> Answer:
        if self.guard is None:
            raise Refusal(Reason.STORE_UNAVAILABLE, "the proxy has not started yet")
        return await endpoints.answer(self.guard, request)

    def _start(self, request: Request) -> Answer:
        """Show the page; what only looks at an address, as mail programs do, uses nothing up."""
        if not self._is_secret(request.query):
            return self._used()
        return self._page(
            "Put these tools behind your passkey",
            "<p>From now on, a tool runs only when your passkey has approved exactly that call.</p>"
            f'<form method="post" action="{escape(self.resource + START_PATH)}">'
            f'<input type="hidden" name="secret" value="{escape(request.query)}"><button>Continue</button></form>',
        )

    def _sign_in(self, request: Request) -> Answer:
        fields = parse_qs(request.body.decode("ascii", "replace"))
        site = request.value("sec-fetch-site")
        if any(origin != self.resource for origin in request.values("origin")) or site not in {None, "same-origin"}:
            raise Refusal(Reason.CSRF, "origin")
        if request.media_type() != exchange.FORM or not self._is_secret("".join(fields.get("secret", [])[:1])):
            return self._used()
        self._secret = secrets.token_urlsafe(32)
        session = secrets.token_urlsafe(32)
        while len(self._browsers) >= _MOST:
            self._browsers.pop(next(iter(self._browsers)))
        self._browsers[session] = self._now()
        cookie = f"{self._cookie}={session}; Path=/; Max-Age={_SIGNED_IN}; HttpOnly; SameSite=Lax{self._secure}"
        onward = self.resource + linking.LINK_PATH
        return Answer(303, headers=(("Location", onward), ("Set-Cookie", cookie), ("Cache-Control", "no-store")))

    def _is_secret(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._secret.encode())

    def _used(self) -> Answer:
        way = "<p><code>oneact mcp start</code> in a terminal tells a new one.</p>"
        return self._page("This address has been used", way, 403)

    def _page(self, title: str, body: str, status: int = 200) -> Answer:
        name = self._label if self.guard is None else self.guard.name
        site = link_page.Site(name, self.resource + "/")
        return exchange.of_page(link_page.page(site, title, body), status)


async def _nobody() -> None:
    """Tell nobody."""


class Server(uvicorn.Server):
    """A server that leaves the process's signals to the proxy."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


SERVING: Final[dict[str, Any]] = {
    "log_level": "warning", "proxy_headers": False, "server_header": False, "ws": "none", "lifespan": "off",
    "timeout_graceful_shutdown": 1,
}  # fmt: skip


def listen_anywhere() -> socket.socket:
    """Listen on a free port that the system gives to no outgoing connection; raises OSError where none is free."""
    first = secrets.randbelow(len(_PORTS))
    for port in (*_PORTS[first:], *_PORTS[:first]):
        with contextlib.suppress(OSError):
            return listen(port)
    raise OSError(f"no port of {_PORTS.start} to {_PORTS.stop - 1} is free")


def listen(port: int) -> socket.socket:
    """Listen on a port of this machine; raises OSError where it is taken."""
    try:
        opened = loopback.bind(port)
    except OSError as error:
        raise OSError(f"port {port} of this machine is taken") from error
    opened.listen()  # whoever is told the address may come at once
    return opened
