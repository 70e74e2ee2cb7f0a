"""Whatever is wrong with a server, a file or a call, an author meets the errors of `oneact.agent` and no others."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oneact.agent import Agent, Refused, keys
from oneact.agent.pairing import _NEEDED
from oneact.protocol import jwk, metadata
from oneact.server import addresses
from oneact.testing import new_key
from tests.ports import free_port
from tests.service.world import served


class Publishing:
    """A server that is also a service: it publishes whatever a test wants, registers, and does nothing else."""

    def __init__(self) -> None:
        self.url = f"http://localhost:{free_port()}"
        own = (self.url + "/keys", self.url, self.url, self.url)
        self.documents: dict[str, Any] = {
            metadata.SERVER_PATH: addresses.metadata(self.url).document(),
            metadata.SERVICE_PATH: metadata.ServiceMetadata(self.url, "Air", *own, None).document(),
            "/keys": {"keys": []},
            "/oauth/register": {"client_id": "c-1"},
        }

    async def __call__(self, scope: Any, _: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        found = self.documents.get(scope["path"])
        status = 404 if found is None else 201 if scope["method"] == "POST" else 200
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def publishing() -> Iterator[Publishing]:
    found = Publishing()
    with served(found, int(found.url.rpartition(":")[2])):
        yield found


@pytest.fixture
def file(tmp_path: Path, publishing: Publishing) -> Path:
    """The file of an agent that is paired."""
    found = tmp_path / "agent.json"
    keys.save(found, keys.Pairing(publishing.url, new_key(), "c-1", "h-1"))
    return found


def refused(issuer: str, file: Path) -> Refused:
    """Open the pairing and give the refusal."""
    with pytest.raises(Refused) as caught:
        asyncio.run(Agent.open(issuer, key_file=file))
    return caught.value


async def refused_call(call: Any) -> str:
    with pytest.raises(Refused) as caught:
        await call
    return caught.value.reason


async def test_good_metadata_open_the_pairing(publishing: Publishing, file: Path) -> None:
    async with await Agent.open(publishing.url, key_file=file) as agent:
        paired = keys.load(file, publishing.url)
        assert agent.fingerprint == jwk.fingerprint(paired.key.public.thumbprint)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a":1.5}', [], {}, {"issuer": "http://localhost:1"}])
def test_bad_metadata_are_refused(publishing: Publishing, file: Path, body: Any) -> None:
    publishing.documents[metadata.SERVER_PATH] = body
    assert refused(publishing.url, file).reason in {"metadata_invalid", "json_malformed", "json_number"}


@pytest.mark.parametrize("name", _NEEDED)
@pytest.mark.parametrize("address", [None, "", 7, "https://evil.example/x", "http://["])
def test_an_endpoint_that_is_missing_or_elsewhere_is_refused_before_anything_is_asked(
    publishing: Publishing, file: Path, name: str, address: Any
) -> None:
    published = publishing.documents[metadata.SERVER_PATH]
    published[name] = address
    if address is None:
        del published[name]
    assert refused(publishing.url, file).reason == "metadata_invalid"


def test_a_key_file_that_others_can_read_is_refused_with_what_to_do(publishing: Publishing, file: Path) -> None:
    file.chmod(0o644)
    found = refused(publishing.url, file)
    assert found.reason == "key_malformed"
    assert str(file) in found.says


@pytest.mark.parametrize(
    ("text", "reason"), [("{}", "key_malformed"), ("x", "json_malformed"), ('{"key":1.5}', "json_number")]
)
def test_a_key_file_that_is_none_is_refused(publishing: Publishing, file: Path, text: str, reason: str) -> None:
    file.write_text(text)
    assert refused(publishing.url, file).reason == reason


def test_another_servers_key_file_is_refused(publishing: Publishing, file: Path) -> None:
    keys.save(file, keys.Pairing("http://localhost:1", new_key(), "c-1", "h-1"))
    assert refused(publishing.url, file).reason == "key_malformed"


def test_a_key_file_that_can_be_neither_read_nor_written_is_refused(publishing: Publishing, tmp_path: Path) -> None:
    folder, in_the_way = tmp_path / "folder", tmp_path / "file"
    folder.mkdir(0o700)
    in_the_way.write_text("")
    for place in (folder, in_the_way / "agent.json"):
        found = refused(publishing.url, place)
        assert found.reason == "key_malformed"
        assert str(place) in found.says


@pytest.mark.parametrize(
    "address", ["", "x", "https://", "https://[", "https://a.example:99999999", "http://air.example", "ftp://a.example"]
)
async def test_what_is_no_address_is_refused(publishing: Publishing, file: Path, address: str) -> None:
    async with await Agent.open(publishing.url, key_file=file) as agent:
        for call in (Agent.open(address), agent.act(address, "x", {}), agent.call("POST", address)):
            assert await refused_call(call) == "address_forbidden"


@pytest.mark.parametrize("key", ["\u00e9", "a\nb"])
async def test_an_idempotency_key_that_no_header_can_hold_is_refused(
    publishing: Publishing, file: Path, key: str
) -> None:
    async with await Agent.open(publishing.url, key_file=file) as agent:
        asked = agent.act(publishing.url, "x", {}, idempotency_key=key)
        assert await refused_call(asked) == "request_malformed"
        assert await refused_call(agent.act(publishing.url, "x", {}, idempotency_key="a b")) == "http_404"
