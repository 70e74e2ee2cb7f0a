"""The fetcher against a real peer on loopback that misbehaves in every way it can."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from oneact import fetch
from oneact.errors import Reason, Refusal

GATE = threading.Event()
COUNTING = threading.Lock()
HERE = ("127.0.0.1",)


class Peer(BaseHTTPRequestHandler):
    hits: list[str] = []  # noqa: RUF012 - one list for all requests of a test
    now = most = 0

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

    def answer_counted(self) -> None:
        with COUNTING:
            Peer.now += 1
            Peer.most = max(Peer.most, Peer.now)
        GATE.wait(0.02)
        with COUNTING:
            Peer.now -= 1
        self.send(200, b"{}")

    def answer_short(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"x")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def peer() -> Iterator[str]:
    Peer.hits, Peer.now, Peer.most, _ = [], 0, 0, GATE.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def refused(method: str, url: str, **options: Any) -> Reason:
    with pytest.raises(Refusal) as caught:
        fetch.fetch(method, url, **{"private_hosts": HERE, **options})
    return caught.value.reason


def test_a_document_on_this_machine_is_fetched(peer: str) -> None:
    found = fetch.fetch("GET", peer + "/good", private_hosts=HERE)
    assert (found.status, found.json()) == (200, {"n": 1})


def test_a_form_is_posted_with_its_content_type(peer: str) -> None:
    body = fetch.form_body({"a": "1 2", "b": "ü"})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    found = fetch.fetch("POST", peer, headers=kind, body=body, private_hosts=HERE)
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
        fetch.fetch("GET", peer + path, private_hosts=HERE).json()
    assert caught.value.reason is Reason.METADATA_INVALID


@pytest.mark.parametrize(
    "url",
    [
        "http://air.example/",
        "http://localhost/",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://[::1]/",
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
    assert refused("GET", url, private_hosts=()) is Reason.ADDRESS_FORBIDDEN


async def test_whoever_stands_on_this_machine_may_fetch_from_it_and_nobody_else(peer: str) -> None:
    assert (await fetch.Fetcher("http://localhost:8400").request("GET", peer + "/good")).status == 200
    assert (await fetch.Fetcher("https://approve.example", HERE).request("GET", peer + "/good")).status == 200
    with pytest.raises(Refusal) as caught:
        await fetch.Fetcher("https://approve.example", ["localhost"]).request("GET", peer + "/good")
    assert caught.value.reason is Reason.ADDRESS_FORBIDDEN


async def test_no_more_than_four_requests_go_to_one_origin_at_once_and_the_rest_wait(peer: str) -> None:
    fetcher = fetch.Fetcher("http://localhost")
    found = await asyncio.gather(*(fetcher.request("GET", peer + "/counted") for _ in range(20)))
    assert [answer.status for answer in found] == [200] * 20
    assert Peer.most == fetch.PER_ORIGIN
    assert fetcher._lanes == {}


async def test_a_request_that_waits_too_long_is_never_made(peer: str) -> None:
    fetcher = fetch.Fetcher("http://localhost")
    lane = fetcher._lanes[peer] = fetch._Lane(users=1)
    for _ in range(fetch.PER_ORIGIN):
        await lane.free.acquire()
    with pytest.raises(Refusal) as caught:
        await fetcher.request("GET", peer + "/good", seconds=-1)  # and one second for waiting
    assert caught.value.reason is Reason.METADATA_UNREACHABLE
    assert (Peer.hits, lane.users) == ([], 1)
