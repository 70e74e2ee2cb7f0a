"""The fetcher against a real peer on loopback that misbehaves in every way it can."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from oneact import fetch
from oneact.errors import Reason, Refusal

GATE = threading.Event()


class Peer(BaseHTTPRequestHandler):
    hits: list[str] = []  # noqa: RUF012 - one list for all requests of a test

    def do_GET(self) -> None:
        self.hits.append(self.path)
        getattr(self, "answer_" + self.path.strip("/"))()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send(200, body, self.headers["Content-Type"])

    def send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def answer_good(self) -> None:
        self.send(200, b'{"n":%d}' % len(self.hits))

    def answer_redirect(self) -> None:
        self.send(302, b"", Location="/good")

    def answer_missing(self) -> None:
        self.send(404, b"{}")

    def answer_html(self) -> None:
        self.send(200, b"<p>", "text/html")

    def answer_torn(self) -> None:
        self.send(200, b'{"a":1,"a":2}')

    def answer_large(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(100_000):
                self.wfile.write(b"x" * 1024)
        except OSError:
            GATE.set()

    def answer_slow(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(1000):
                self.wfile.write(b"x")
                GATE.wait(0.05)
        except OSError:
            pass

    def answer_short(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"x")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def peer() -> Iterator[str]:
    Peer.hits, _ = [], GATE.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def refused(method: str, url: str, **options: float) -> Reason:
    with pytest.raises(Refusal) as caught:
        fetch.fetch(method, url, **options)  # type: ignore[arg-type]  # only numbers are passed here
    return caught.value.reason


def test_a_document_on_this_machine_is_fetched(peer: str) -> None:
    found = fetch.fetch("GET", peer + "/good")
    assert (found.status, found.json()) == (200, {"n": 1})


def test_a_form_is_posted_with_its_content_type(peer: str) -> None:
    body = fetch.form_body({"a": "1 2", "b": "ü"})
    found = fetch.fetch("POST", peer, headers={"Content-Type": "application/x-www-form-urlencoded"}, body=body)
    assert found.body == b"a=1+2&b=%C3%BC"


def test_a_redirect_is_not_followed(peer: str) -> None:
    assert refused("GET", peer + "/redirect") is Reason.METADATA_UNREACHABLE
    assert Peer.hits == ["/redirect"]


def test_reading_stops_at_the_limit(peer: str) -> None:
    assert refused("GET", peer + "/large") is Reason.METADATA_UNREACHABLE
    assert GATE.wait(10), "the peer could go on writing"


def test_an_octet_at_a_time_does_not_stretch_the_time_limit(peer: str) -> None:
    assert refused("GET", peer + "/slow", seconds=0.3) is Reason.METADATA_UNREACHABLE


def test_an_answer_that_ends_early_is_no_answer(peer: str) -> None:
    assert refused("GET", peer + "/short") is Reason.METADATA_UNREACHABLE


def test_nobody_listening_is_unreachable() -> None:
    assert refused("GET", "http://127.0.0.1:9") is Reason.METADATA_UNREACHABLE


@pytest.mark.parametrize("path", ["/html", "/torn"])
def test_what_is_no_strict_json_is_invalid(peer: str, path: str) -> None:
    with pytest.raises(Refusal) as caught:
        fetch.fetch("GET", peer + path).json()
    assert caught.value.reason is Reason.METADATA_INVALID


@pytest.mark.parametrize(
    "url",
    [
        "http://air.example/",
        "ftp://localhost/",
        "file:///etc/passwd",
        "https://user@air.example/",
        "https://air.example/#part",
        "https://air.example/a b",
        "https://air.example:0/",
        "https://air.example:x/",
        "https://[::1",
        "https:///path",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:127.0.0.1]/",
        "https://127.0.0.2/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0.0.0.0/",
    ],
)
def test_an_address_that_may_not_be_fetched_is_refused(url: str) -> None:
    assert refused("GET", url) is Reason.ADDRESS_FORBIDDEN


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.0.1", "0.0.0.0",  # noqa: S104 - refused
        "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "100.64.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2001:db8::1", "not an address",
    ],
)  # fmt: skip
def test_private_and_reserved_addresses_are_not_permitted(address: str) -> None:
    assert not fetch.permitted(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_public_addresses_are_permitted(address: str) -> None:
    assert fetch.permitted(address)


async def test_a_cached_document_is_fetched_once(peer: str) -> None:
    documents = fetch.CachedDocuments()
    assert await documents.get_json(peer + "/good") == {"n": 1}
    assert await documents.get_json(peer + "/good") == {"n": 1}


async def test_a_refresh_within_ten_seconds_gives_what_is_there(peer: str) -> None:
    documents = fetch.CachedDocuments()
    assert await documents.refresh(peer + "/good") == {"n": 1}
    assert await documents.refresh(peer + "/good") == {"n": 1}


async def test_a_refresh_after_ten_seconds_fetches_anew(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = fetch.CachedDocuments()
    await documents.get_json(peer + "/good")
    monkeypatch.setattr(fetch, "REFRESH_EVERY", 0.0)
    assert await documents.refresh(peer + "/good") == {"n": 2}


async def test_the_cache_is_bounded(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "MAX_ENTRIES", 1)
    documents = fetch.CachedDocuments()
    for query in ("/good", "/good/", "/good"):
        await documents.get_json(peer + query)
    assert Peer.hits == ["/good", "/good/", "/good"]


async def test_an_error_answer_is_no_document(peer: str) -> None:
    with pytest.raises(Refusal) as caught:
        await fetch.CachedDocuments().get_json(peer + "/missing")
    assert caught.value.reason is Reason.METADATA_UNREACHABLE
