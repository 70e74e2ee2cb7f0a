"""A stranger names an address on the very machine of a production server or service, to be fetched or posted to."""

import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from oneact.documents import CachedDocuments
from oneact.errors import Reason, Refusal
from oneact.fetch import Fetcher
from oneact.protocol import canonical, client_assertion
from oneact.protocol.jwk import SigningKey
from oneact.server import Settings, ciba, relying
from oneact.server.world import World, open_world
from oneact.service import LINKED
from oneact.service.issuers import Issuers
from oneact.service.store.sqlite import SqliteStore
from oneact.testing import new_key


class Inside(BaseHTTPRequestHandler):
    """Something on the machine that believes whoever can reach it."""

    hits: list[str] = []  # noqa: RUF012 - one list for all requests of a test

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        self.hits.append(f"{self.command} {self.path}")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(params=["localhost", "127.0.0.1"])
def inside(request: pytest.FixtureRequest) -> Iterator[str]:
    Inside.hits.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Inside)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://{request.param}:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """An approval server as it stands in production."""
    settings = Settings(public_url="https://approve.example", database=tmp_path / "s.db", key_file=tmp_path / "s.jwk")
    found = await open_world(settings)
    yield found
    await found.store.close()


async def pushed(world: World, key: SigningKey, client_id: str) -> str:
    form = {
        "response_type": "code", "redirect_uri": client_id, "state": "s", "nonce": "n", "scope": "openid",
        "code_challenge": canonical.sha256(b"v"), "code_challenge_method": "S256",
        "client_assertion_type": client_assertion.ASSERTION_TYPE,
        "client_assertion": client_assertion.build(key, client_id, world.issuer, world.now(), "j"),
    }  # fmt: skip
    return str((await relying.push(world, form))["request_uri"])


async def test_a_client_that_claims_to_stand_on_the_machine_is_not_fetched(world: World, inside: str) -> None:
    client_id = inside + "/admin/flush?confirm=yes"
    request_uri = await pushed(world, new_key(), client_id)
    with pytest.raises(Refusal) as refused:
        await relying.open_request(world, client_id, request_uri)
    assert refused.value.reason is Reason.ADDRESS_FORBIDDEN
    assert Inside.hits == []


async def test_an_agent_that_wants_to_be_pinged_on_the_machine_is_not(
    world: World, inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ciba, "PAUSES", (0,))
    endpoint = canonical.encode({"backchannel_client_notification_endpoint": inside + "/v1/jobs/run"}).decode()

    async def client(*_: object) -> dict[str, str]:
        return {"metadata": endpoint}

    monkeypatch.setattr(world.store, "one", client)
    await ciba.ping(world, {"client_id": "c", "ping_token": "chosen-by-the-agent", "id": "request"})
    assert Inside.hits == []


async def test_a_service_does_not_fetch_an_approval_server_on_its_machine(inside: str, tmp_path: Path) -> None:
    documents = CachedDocuments(Fetcher("https://air.example"))
    with pytest.raises(Refusal) as refused:
        await Issuers(LINKED, SqliteStore(tmp_path / "a.db"), documents).metadata(inside)
    assert refused.value.reason is Reason.ADDRESS_FORBIDDEN
    assert Inside.hits == []
