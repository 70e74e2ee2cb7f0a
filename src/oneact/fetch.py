"""The one way out: fetch a document from an address that others named, without becoming their tool.

HTTPS only, except for names that the caller excepts. A name is resolved once, every address it has is checked, and
the connection goes to a checked address: no second look-up can answer otherwise. No redirect is followed; size and
total time are bounded. This machine itself is excepted only where the one who fetches stands on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlencode, urlsplit

from oneact import ip
from oneact.errors import Reason, Refusal
from oneact.protocol import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from oneact.protocol.canonical import Json

MAX_OCTETS: Final = 256 * 1024
SECONDS: Final = 5.0
LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
THREADS: Final = 64
PER_ORIGIN: Final = 4
_CHUNK: Final = 16 * 1024
_REDIRECTS: Final = range(300, 400)
_PORTS: Final = {"https": 443, "http": 80}
_MAX_URL: Final = 2048


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: its status, its header fields by lower-case name, its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """Give the content type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Json:
        """Read the body as JSON; refuses `metadata_invalid` for another type or what is no strict JSON."""
        if self.media_type != "application/json" and not self.media_type.endswith("+json"):
            raise Refusal(Reason.METADATA_INVALID, f"content type {self.media_type!r}")
        try:
            return canonical.parse(self.body)
        except Refusal as refusal:
            raise Refusal(Reason.METADATA_INVALID, str(refusal)) from refusal


def fetch(  # noqa: PLR0913 - one request has as many parts
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    private_hosts: Collection[str] = (),
    limit: int = MAX_OCTETS,
    seconds: float = SECONDS,
) -> Fetched:
    """Make one request and give its answer, whatever its status but a redirect; blocks the calling thread.

    `private_hosts` are names whose addresses may be private and which may be spoken to without TLS. `limit` is in
    octets of the answer's body, `seconds` bounds everything after the name is resolved. Refuses `address_forbidden`
    or `metadata_unreachable`.
    """
    parts = _split(url)
    excepted = parts.hostname in private_hosts
    if parts.scheme != "https" and not (parts.scheme == "http" and excepted):
        raise Refusal(Reason.ADDRESS_FORBIDDEN, f"scheme {parts.scheme!r}")
    until = time.monotonic() + seconds
    try:
        with _connected(parts, until, excepted=excepted) as connection:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body, {"Accept-Encoding": "identity", **(headers or {})})
            with connection.getresponse() as response:
                found = _read(response, limit)
            if time.monotonic() >= until:  # what the watchdog has cut looks like an answer that is over
                raise TimeoutError(f"more than {seconds} s")
            return found
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Refusal(Reason.METADATA_UNREACHABLE, f"{parts.hostname}: {error!r}") from error


def excepted(own: str, private_hosts: Collection[str]) -> frozenset[str]:
    """Give the names whose addresses may be private for one who stands at `own`: this machine only on this machine."""
    local = urlsplit(own).hostname in LOCAL_NAMES
    return frozenset(private_hosts) | (LOCAL_NAMES if local else frozenset())


@dataclass(slots=True)
class _Lane:
    """The requests to one origin: so many run, the others wait; `users` counts both."""

    free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PER_ORIGIN))
    users: int = 0


class Fetcher:
    """Makes requests in threads of its own, at most 64 at once and 4 of these to one origin.

    `own` is the address of whoever fetches: only one that is on this machine may fetch from this machine.
    `private_hosts` are further names that may have private addresses and be spoken to without TLS.
    """

    def __init__(self, own: str, private_hosts: Collection[str] = ()) -> None:
        self.excepted = excepted(own, private_hosts)
        self._begin()

    def _begin(self) -> None:
        """Begin with threads of this process's own: a forked one has none of those before it."""
        self._process = os.getpid()
        self._threads = ThreadPoolExecutor(THREADS, "oneact-fetch")
        self._lanes: dict[str, _Lane] = {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        seconds: float = SECONDS,
    ) -> Fetched:
        """Make one request as `fetch` does; the time bound covers waiting for a thread and the name's resolution too.

        A peer that answers slowly holds up others at its own origin only. Refuses `address_forbidden` or
        `metadata_unreachable`.
        """

        def run() -> Fetched:
            return fetch(method, url, headers=headers, body=body, private_hosts=self.excepted, seconds=seconds)

        if self._process != os.getpid():
            self._begin()
        parts = _split(url)
        try:
            return await asyncio.wait_for(self._in_lane(f"{parts.scheme}://{parts.netloc}", run), seconds + 1)
        except TimeoutError as error:
            raise Refusal(Reason.METADATA_UNREACHABLE, f"{url!r} took too long") from error

    async def _in_lane(self, origin: str, run: Callable[[], Fetched]) -> Fetched:
        lane = self._lanes.setdefault(origin, _Lane())
        lane.users += 1
        try:
            await lane.free.acquire()
        except BaseException:
            self._leave(origin, lane)
            raise
        loop, future = asyncio.get_running_loop(), self._threads.submit(run)

        def done(_: object) -> None:
            # The place is free when the thread is, which may be after the one who waited has gone.
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._release, origin, lane)

        future.add_done_callback(done)
        return await asyncio.wrap_future(future)

    def _release(self, origin: str, lane: _Lane) -> None:
        lane.free.release()
        self._leave(origin, lane)

    def _leave(self, origin: str, lane: _Lane) -> None:
        lane.users -= 1
        if lane.users == 0:
            self._lanes.pop(origin, None)


def form_body(members: Mapping[str, str]) -> bytes:
    """Encode members as `application/x-www-form-urlencoded`."""
    return urlencode(members).encode("ascii")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refusal(Reason.ADDRESS_FORBIDDEN, "not a URL") from error
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= _MAX_URL
    if not plain or not parts.hostname or parts.username is not None or port == 0 or parts.fragment:
        raise Refusal(Reason.ADDRESS_FORBIDDEN, "a URL with user, fragment or foreign characters, or without a host")
    return parts


@contextlib.contextmanager
def _connected(parts: SplitResult, until: float, *, excepted: bool) -> Iterator[http.client.HTTPConnection]:
    host, port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
    connection = http.client.HTTPConnection(host, port)
    dialled = _dial(host, port, until, excepted=excepted)
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, context=_context())
        dialled = _context().wrap_socket(dialled, server_hostname=host, do_handshake_on_connect=False)
    # One timer for everything that follows: a peer that sends an octet at a time gains nothing by it.
    watchdog = threading.Timer(max(0.0, until - time.monotonic()), _cut, [dialled])
    watchdog.daemon = True
    watchdog.start()
    try:
        if isinstance(dialled, ssl.SSLSocket):
            dialled.do_handshake()
        connection.sock = dialled
        yield connection
    finally:
        watchdog.cancel()
        _cut(dialled)  # an answer that is still open holds the socket, so closing it alone would not end it
        dialled.close()


def _dial(host: str, port: int, until: float, *, excepted: bool) -> socket.socket:
    """Resolve once, check every address, connect to one of exactly these."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not excepted and not all(ip.permitted(str(address[4][0])) for address in found):
        raise Refusal(Reason.ADDRESS_FORBIDDEN, f"{host!r} has an address that is not public")
    failure: OSError = OSError("no address")
    for family, kind, protocol, _, address in found:
        dialled = socket.socket(family, kind, protocol)
        try:
            dialled.settimeout(max(0.001, until - time.monotonic()))
            dialled.connect(address)
        except OSError as error:
            dialled.close()
            failure = error
        else:
            return dialled
    raise failure


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _read(response: http.client.HTTPResponse, limit: int) -> Fetched:
    if response.status in _REDIRECTS:
        raise Refusal(Reason.METADATA_UNREACHABLE, f"a redirect, {response.status}")
    body = bytearray()
    while chunk := response.read1(_CHUNK):
        body += chunk
        if len(body) > limit:
            raise Refusal(Reason.METADATA_UNREACHABLE, f"more than {limit} octets")
    if response.length:
        raise Refusal(Reason.METADATA_UNREACHABLE, "the answer ended before its length")
    return Fetched(response.status, {name.lower(): value for name, value in response.getheaders()}, bytes(body))


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
