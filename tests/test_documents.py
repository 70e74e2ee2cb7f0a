"""The cache of documents against a real peer: fresh enough, bounded by octets, fair to every origin."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from oneact import documents
from oneact.documents import CachedDocuments
from oneact.errors import Reason, Refusal
from oneact.fetch import Fetcher


class Peer(BaseHTTPRequestHandler):
    """Answers with an array of as many octets as the path says, and counts."""

    hits: list[str] = []  # noqa: RUF012 - one list for all requests of a test

    def do_GET(self) -> None:
        self.hits.append(self.path)
        size = self.path.strip("/").partition("?")[0]
        body = b"[%s]" % (b" " * (int(size) - 2)) if size.isdecimal() else b'{"n":%d}' % len(self.hits)
        self.send_response(404 if size == "missing" else 200)
        self.send_header("Content-Type", "text/html" if size == "html" else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def peer() -> Iterator[str]:
    Peer.hits = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cache() -> CachedDocuments:
    return CachedDocuments(Fetcher("http://localhost"))


async def refused(cache: CachedDocuments, url: str) -> Reason:
    with pytest.raises(Refusal) as caught:
        await cache.get_json(url)
    return caught.value.reason


async def test_a_document_is_fetched_once(cache: CachedDocuments, peer: str) -> None:
    assert await cache.get_json(peer + "/good") == await cache.get_json(peer + "/good") == {"n": 1}


async def test_who_is_given_a_document_cannot_change_it_for_others(cache: CachedDocuments, peer: str) -> None:
    first = await cache.get_json(peer + "/good")
    assert isinstance(first, dict)
    first["n"] = 99
    assert await cache.get_json(peer + "/good") == {"n": 1}


async def test_a_refresh_within_ten_seconds_gives_what_is_there(cache: CachedDocuments, peer: str) -> None:
    assert await cache.refresh(peer + "/good") == await cache.refresh(peer + "/good") == {"n": 1}


async def test_a_refresh_after_ten_seconds_fetches_anew(
    cache: CachedDocuments, peer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cache.get_json(peer + "/good")
    monkeypatch.setattr(documents, "REFRESH_EVERY", 0.0)
    assert await cache.refresh(peer + "/good") == {"n": 2}
    assert await cache.get_json(peer + "/good") == {"n": 2}


@pytest.mark.parametrize(
    ("path", "reason"), [("/missing", Reason.METADATA_UNREACHABLE), ("/html", Reason.METADATA_INVALID)]
)
async def test_what_could_not_be_had_is_not_asked_for_again_at_once(
    cache: CachedDocuments, peer: str, path: str, reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [await refused(cache, peer + path) for _ in range(3)] == [reason] * 3
    assert Peer.hits == [path]
    monkeypatch.setattr(documents, "FAILED_FOR", 0.0)
    assert await refused(cache, peer + path) is reason
    assert len(Peer.hits) == 2


async def test_the_memory_of_failures_is_bounded(
    cache: CachedDocuments, peer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "_MAX_FAILED", 1)
    for query in ("/missing?a", "/missing?b"):
        await refused(cache, peer + query)
    assert list(cache._failed) == [peer + "/missing?b"]


async def test_one_origin_keeps_no_more_than_its_share(cache: CachedDocuments, peer: str) -> None:
    for number in range(6):
        await cache.get_json(f"{peer}/250000?{number}")
    assert cache._weights[peer] <= documents.MAX_ORIGIN_OCTETS
    assert list(cache._entries) == [f"{peer}/250000?{number}" for number in range(2, 6)]


async def test_even_an_empty_document_counts(
    cache: CachedDocuments, peer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MAX_ORIGIN_OCTETS", 2 * 2048)
    for number in range(3):
        await cache.get_json(f"{peer}/2?{number}")
    assert len(cache._entries) == 2


async def test_where_room_is_needed_the_origin_with_the_most_gives_it(
    cache: CachedDocuments, peer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MAX_OCTETS", 500_000)
    honest = peer.replace("127.0.0.1", "localhost") + "/good"
    await cache.get_json(honest)
    for number in range(4):
        await cache.get_json(f"{peer}/200000?{number}")
    assert list(cache._entries) == [honest, f"{peer}/200000?2", f"{peer}/200000?3"]


async def test_what_is_past_its_time_goes_when_something_new_comes(
    cache: CachedDocuments, peer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cache.get_json(peer + "/good")
    monkeypatch.setattr(documents, "TTL", 0.0)
    await cache.get_json(peer + "/9")
    assert list(cache._entries) == [peer + "/9"]
    assert cache._weights == {peer: 2048}
