"""The one way out: fetch a document from an address that others named, without becoming their tool.

HTTPS only, except for names of this machine and names that the caller excepts. A name is resolved once, every address
it has is checked, and the connection goes to a checked address: no second look-up can answer otherwise. No redirect
is followed; size and total time are bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlencode, urlsplit

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from oneact.protocol.canonical import Json

MAX_OCTETS: Final = 256 * 1024
SECONDS: Final = 5.0
MAX_ENTRIES: Final = 256
TTL: Final = 300.0
REFRESH_EVERY: Final = 10.0
LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_CHUNK: Final = 16 * 1024
_REDIRECTS: Final = range(300, 400)
_PORTS: Final = {"https": 443, "http": 80}
_MAX_URL: Final = 2048
_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last four octets are an IPv4 address

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


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
    excepted = parts.hostname in LOCAL_NAMES or parts.hostname in private_hosts
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


async def fetch_async(  # noqa: PLR0913 - the same as `fetch`
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    private_hosts: Collection[str] = (),
    limit: int = MAX_OCTETS,
    seconds: float = SECONDS,
) -> Fetched:
    """Make one request as `fetch` does, in a thread of its own; the time bound covers the name's resolution too."""

    def run() -> Fetched:
        return fetch(method, url, headers=headers, body=body, private_hosts=private_hosts, limit=limit, seconds=seconds)

    try:
        return await asyncio.wait_for(asyncio.to_thread(run), seconds + 1)
    except TimeoutError as error:
        raise Refusal(Reason.METADATA_UNREACHABLE, f"{url!r} took too long") from error


def permitted(text: str) -> bool:
    """Tell whether an IP address, as text, is one of the public Internet."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(_public(address) for address in _embedded(found))


@dataclass(slots=True)
class _Entry:
    value: Json
    fetched: float


class CachedDocuments:
    """JSON documents by URL: at most 256, each for 300 seconds, fetched once for all who wait for it."""

    def __init__(self, private_hosts: Collection[str] = ()) -> None:
        self._private_hosts = frozenset(private_hosts)
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[Json]] = {}

    async def get_json(self, url: str) -> Json:
        """Give the document at `url`; refuses `metadata_unreachable`, `metadata_invalid`, `address_forbidden`."""
        entry = self._entries.get(url)
        if entry is not None and time.monotonic() - entry.fetched < TTL:
            self._entries.move_to_end(url)
            return entry.value
        return await self._fetch_once(url)

    async def refresh(self, url: str) -> Json:
        """Fetch the document anew before its time, for a key that it lacks; at most once in 10 seconds."""
        entry = self._entries.get(url)
        if entry is not None and time.monotonic() - entry.fetched < REFRESH_EVERY:
            return entry.value
        return await self._fetch_once(url)

    async def _fetch_once(self, url: str) -> Json:
        task = self._under_way.get(url)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._fetch(url))
            self._under_way[url] = task
            task.add_done_callback(lambda _: self._under_way.pop(url, None))
        return await asyncio.shield(task)

    async def _fetch(self, url: str) -> Json:
        found = await fetch_async("GET", url, headers={"Accept": "application/json"}, private_hosts=self._private_hosts)
        if found.status != http.client.OK:
            raise Refusal(Reason.METADATA_UNREACHABLE, f"{url!r} answered {found.status}")
        value = found.json()
        self._entries[url] = _Entry(value, time.monotonic())
        self._entries.move_to_end(url)
        while len(self._entries) > MAX_ENTRIES:
            self._entries.popitem(last=False)
        return value


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
    if not excepted and not all(permitted(str(address[4][0])) for address in found):
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


def _embedded(address: Address) -> tuple[Address, ...]:
    """Give an address with every IPv4 address that it stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _TRANSLATED:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address.ipv4_mapped is not None or address in _TRANSLATED:
        return tuple(found for found in inner if found is not None)
    return (address, *(found for found in inner if found is not None))


def _public(address: Address) -> bool:
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
