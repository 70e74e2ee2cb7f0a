"""Who may ask the private API, and in which form; each refusal beside a call that differs in that alone and passes."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from oneact.sidecar.api import Api
from oneact.sidecar.config import load
from oneact.sidecar.listening import Door
from oneact.sidecar.verifier import Verifier
from tests.sidecar.running import PRICE, Place, settle_in
from tests.sidecar.service import JSON, call

ISSUER = "http://localhost:8400"


@asynccontextmanager
async def behind(place: Place, secret: str | None) -> AsyncIterator[httpx.AsyncClient]:
    verifier = Verifier(load(place.config))
    with socket.socket() as unused:
        api = Api(verifier, Door(unused, "", frozenset({"localhost"}), secret))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api), base_url="http://localhost") as client:
            yield client
    await verifier.stop()


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    return await settle_in(tmp_path, issuers=f'["{ISSUER}"]')


@pytest.fixture
async def door(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with behind(place, None) as client:
        yield client


@pytest.fixture
async def locked(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with behind(place, "s3cret") as client:
        yield client


@pytest.mark.parametrize(
    "changes",
    [
        {"more": 1}, {"client": ...}, {"client": 1}, {"method": ""}, {"url": "bookings"}, {"url": "http://x/bookings"},
        {"headers": {"dpop": "one"}}, {"headers": {"dpop": [1]}}, {"headers": []}, {"parameters": None},
        {"parameters": []}, {"parameters": ...}, {"path": {"a": 1}}, {"path": []}, {"action": None},
        {"terms": ...}, {"terms": None}, {"terms": []}, {"terms": {}}, {"terms": {"price": "312.00"}},
        {"terms": PRICE | {"fee": "1"}},
        {"action": "cancel_flight", "method": "DELETE", "parameters": {"reference": "ab"}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/offer", "/verify"])
async def test_a_fault_of_the_services_is_no_answer_to_relay(
    door: httpx.AsyncClient, path: str, changes: dict[str, Any]
) -> None:
    answer = await door.post(path, json=call(ISSUER, **changes))
    assert (answer.status_code, answer.json()["reason"]) == (400, "request_malformed")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/receipt", {"ticket": "t", "status": 99}),
        ("/receipt", {"ticket": "t", "status": 600}),
        ("/receipt", {"ticket": "t", "status": True}),
        ("/receipt", {"ticket": "t"}),
        ("/receipt", {"status": 200}),
        ("/receipt", {"ticket": "", "status": 200}),
        ("/receipt", {"ticket": "t", "status": 200, "body_base64": "?"}),
        ("/receipt", {"ticket": "t", "status": 200, "body_base64": 1}),
        ("/receipt", {"ticket": "t", "status": None, "body_base64": ""}),
        ("/receipt", {"ticket": "t", "status": 200, "more": 1}),
        ("/settle", {"issuer": "i", "txn": "t", "state": "unknown"}),
        ("/settle", {"issuer": "i", "txn": "t"}),
        ("/unlink", {"account": ""}),
        ("/unlink", {"account": "alice", "issuer": "i"}),
        ("/page", {"method": "GET", "url": "/oneact/link", "headers": {}, "client": ""}),
        ("/page", {"method": "GET", "url": "/oneact/link", "headers": {}, "client": "", "account": "alice"}),
        ("/page", {"method": "GET", "url": "/oneact/link", "headers": {}, "client": "", "account": {"id": "alice"}}),
        ("/page", {"method": "POST", "url": "/oneact/act", "headers": {}, "client": "", "account": None}),
        ("/offer?x=1", {}),
        ("/offer", []),
    ],
)
async def test_the_other_calls_are_closed_forms_too(door: httpx.AsyncClient, path: str, body: Any) -> None:
    answer = await door.post(path, json=body)
    assert (answer.status_code, answer.json()["reason"]) == (400, "request_malformed")


@pytest.mark.parametrize(
    ("content", "headers", "expected"),
    [
        (b"{", JSON, (400, "json_malformed")),
        (b'{"ticket": "a", "ticket": "b", "status": 1}', JSON, (400, "json_duplicate_key")),
        (b'{"ticket": "a", "status": 200.0}', JSON, (400, "json_number")),
        (b"{}", {"Content-Type": "text/plain"}, (415, "media_type")),
        (b" " * (256 * 1024 + 1), JSON, (413, "request_too_large")),
    ],
)
async def test_a_call_is_strict_json_within_256_kib(
    door: httpx.AsyncClient, content: bytes, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    answer = await door.post("/receipt", content=content, headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == expected


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/verify", (405, "method_not_allowed")),
        ("OPTIONS", "/verify", (405, "method_not_allowed")),
        ("POST", "/", (404, "address_unknown")),
        ("GET", "/oneact/link", (404, "address_unknown")),
    ],
)
async def test_there_are_six_addresses_and_one_method(
    door: httpx.AsyncClient, method: str, path: str, expected: tuple[int, str]
) -> None:
    answer = await door.request(method, path)
    assert (answer.status_code, answer.json()["reason"]) == expected


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Dest": "empty"}, {"Sec-Fetch-User": "?1"},
        {"Host": "evil.example"}, {"Host": "evil.example:8450"}, {"Host": "127.0.0.1"},
    ],
)  # fmt: skip
async def test_no_browser_is_answered_whichever_page_or_name_led_it_here(
    door: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    right = {"ticket": "t", "status": 200}
    assert (await door.post("/receipt", json=right)).json()["reason"] == "receipt_unknown"
    answer = await door.post("/receipt", json=right, headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (403, "csrf")


@pytest.mark.parametrize("given", [None, "Bearer another", "Basic s3cret", "s3cret", "Bearer s3cret2", "Bearer é"])
async def test_on_a_port_a_caller_without_the_secret_is_refused(locked: httpx.AsyncClient, given: str | None) -> None:
    right = {"ticket": "t", "status": 200}
    held = await locked.post("/receipt", json=right, headers={"Authorization": "Bearer s3cret"})
    assert held.json()["reason"] == "receipt_unknown"
    headers = [] if given is None else [(b"authorization", given.encode())]
    answer = await locked.post("/receipt", json=right, headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (401, "client_unknown")
