"""Reads at the private API, asked as a service in any language asks: for which account, or what to answer."""

import time
from typing import Any

import httpx
import pytest

from oneact.testing import TestAgent
from tests.service.world import ApprovalServer
from tests.sidecar.running import Place
from tests.sidecar.service import Service, refused


@pytest.fixture
async def service(private: httpx.AsyncClient, server: ApprovalServer, place: Place) -> Service:
    return Service(private, server, place)


async def opened(service: Service, **changes: Any) -> str:
    """Have the person open the reads of the service."""
    reads = (await service.page("/oneact/actions"))["reads"]
    return service.server.person.read_token(service.place.resource, reads, service.agent, int(time.time()), **changes)


def call(service: Service, token: str | None, url: str = "/bookings?since=May", **changes: Any) -> dict[str, Any]:
    method, address = changes.get("method", "GET"), service.place.resource + url.partition("?")[0]
    shown = {} if token is None else service.agent.headers(method, address, token, int(time.time()))
    headers = {name: [value] for name, value in shown.items()}
    return {"read": "bookings", "method": method, "url": url, "headers": headers, "client": "203.0.113.7"} | changes


async def read(service: Service, token: str | None, **changes: Any) -> Any:
    answer = await service.client.post("/read", json=call(service, token, **changes))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_read_that_is_open_is_of_a_local_account_and_as_often_as_the_agent_likes(service: Service) -> None:
    token, now = await opened(service), int(time.time())
    first, second = [await read(service, token, method=method) for method in ("GET", "HEAD")]
    assert first == second
    reading = first["reading"]
    assert now < reading.pop("until") <= now + 3601
    assert reading == {
        "account": "alice", "read": "bookings", "issuer": service.server.issuer,
        "client_id": service.agent.client_id, "jkt": service.agent.jkt,
    }  # fmt: skip


async def test_the_reads_are_published_with_the_services_metadata(service: Service) -> None:
    assert (await service.page("/oneact/actions"))["reads"] == [
        {"read": "bookings", "intent": "See your bookings", "path": "/bookings"}
    ]
    found = await service.page("/.well-known/oauth-protected-resource")
    assert found["authorization_details_types_supported"] == ["oneact_act", "oneact_read"]


async def test_a_request_without_a_token_is_told_what_it_needs(service: Service) -> None:
    found = await read(service, None)
    assert refused(found) == (401, "read_token_required")
    assert found["answer"]["headers"]["WWW-Authenticate"].endswith('scope="read"')
    assert found["notices"] == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iat": 1, "exp": 301}, "token_expired"),
        ({"aud": "http://localhost:1"}, "token_audience"),
        ({"iss": "http://localhost:1"}, "token_issuer"),
        ({"jkt": TestAgent().jkt}, "proof_binding"),
        ({"sub": "somebody else"}, "account_not_linked"),
        ({"client_id": "another"}, "statement_client"),
        ({"details": []}, "read_malformed"),
    ],
)
async def test_a_token_that_does_not_hold_reads_nothing(
    service: Service, changes: dict[str, Any], expected: str
) -> None:
    assert refused(await read(service, await opened(service, **changes))) == (401, expected)


async def test_a_proof_is_for_one_address_and_good_once(service: Service) -> None:
    token = await opened(service)
    asked = call(service, token)
    elsewhere = (await service.client.post("/read", json=asked | {"url": "/others"})).json()
    assert refused(elsewhere) == (401, "proof_htu")
    assert "reading" in (await service.client.post("/read", json=asked)).json()
    assert refused((await service.client.post("/read", json=asked)).json()) == (401, "proof_replayed")


async def test_a_read_token_leads_to_no_act_and_an_action_token_to_no_read(service: Service) -> None:
    assert refused(await service.verify(await opened(service))) == (401, "token_malformed")
    assert refused(await read(service, await service.approved())) == (401, "token_malformed")


async def test_another_method_is_answered_with_the_one_of_a_read(service: Service) -> None:
    found = await read(service, await opened(service), method="POST")
    assert refused(found) == (405, "method_not_allowed")
    assert found["answer"]["headers"]["Allow"] == "GET"


async def test_an_account_that_is_unlinked_is_read_no_more(service: Service) -> None:
    token = await opened(service)
    assert "reading" in await read(service, token)
    assert (await service.client.post("/unlink", json={"account": "alice"})).json()["unlinked"] is True
    assert refused(await read(service, token)) == (401, "account_not_linked")


@pytest.mark.parametrize(
    "changes",
    [{"read": "flights"}, {"read": 1}, {"read": ""}, {"url": "bookings"}, {"headers": {"dpop": "one"}}, {"client": 1},
     {"method": ""}, {"account": "alice"}, {"parameters": ""}],
)  # fmt: skip
async def test_a_call_that_is_the_services_own_mistake_is_no_answer(service: Service, changes: dict[str, Any]) -> None:
    asked = call(service, await opened(service))
    answer = await service.client.post("/read", json=asked | changes)
    assert (answer.status_code, answer.json()["reason"]) == (400, "request_malformed")
    assert "reading" in (await service.client.post("/read", json=asked)).json()


@pytest.mark.parametrize("member", ["read", "method", "url", "headers", "client"])
async def test_a_call_without_one_of_its_members_is_refused(service: Service, member: str) -> None:
    asked = call(service, None)
    del asked[member]
    assert (await service.client.post("/read", json=asked)).json()["reason"] == "request_malformed"


async def test_a_store_that_cannot_answer_opens_nothing(service: Service) -> None:
    token = await opened(service)
    for file in (service.place.folder / "var").glob("air.db*"):
        file.write_bytes(b"this was a database")
    assert refused(await read(service, token)) == (503, "store_unavailable")
