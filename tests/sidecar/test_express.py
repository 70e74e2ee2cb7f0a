"""The Express example as agents and persons meet it: real Node, real Express, the sidecar in a process of its own."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url, offer, receipt
from tests.service.world import ApprovalServer, Caller, calling, eventually
from tests.sidecar.running import EXPRESS, FLIGHT, Place, changed, express, settle_in, sidecar

BY_NAME = {"action": "book_flight", "parameters": FLIGHT}


def told(answer: httpx.Response) -> tuple[int, str, int]:
    body = answer.json()
    return answer.status_code, str(body.get("reason")), int(body.get("check", 0))


async def test_an_approved_flight_is_booked_and_its_receipt_reaches_agent_and_server(caller: Caller) -> None:
    booked = await caller.act("POST", "/bookings", json=FLIGHT | {"bags": 2})
    assert (booked.status_code, booked.json()["price"]) == (201, "372.00")
    found = await caller.verified(booked.headers["oneact-receipt"])
    salt = base64url.decode(booked.headers["oneact-result-salt"])
    assert (found.status, found.result_digest) == ("executed", receipt.result_digest(salt, booked.content))
    await eventually(lambda: caller.server.receipts)
    assert caller.server.receipts == [booked.headers["oneact-receipt"]]


async def test_the_offer_is_relayed_as_the_guard_made_it(caller: Caller) -> None:
    answer = await caller.client.post(caller.resource + "/bookings", json=FLIGHT, headers=caller.accept)
    assert told(answer) == (401, "approval_required", 0)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["www-authenticate"].startswith('DPoP error="insufficient_authorization"')
    assert answer.headers["content-type"] == "application/json"
    offered = offer.parse(answer.json()["transaction_challenge"])[0]
    assert offered.act.terms == {"price": {"amount": "312.00", "currency": "USD"}}
    assert offered.act.parameters == FLIGHT | {"bags": 0}


async def test_a_changed_parameter_is_refused_by_check_6_and_spends_nothing(caller: Caller) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    answer = await caller.show(token, "POST", "/bookings", json=FLIGHT | {"to": "LAX"})
    assert told(answer) == (401, "act_mismatch", 6)
    assert answer.json()["not_executed"] is True
    assert (await caller.show(token, "POST", "/bookings", json=FLIGHT)).status_code == 201


async def test_the_second_use_gets_the_receipt_and_the_answer_of_the_first(caller: Caller) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    first = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    second = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    assert told(second) == (409, "already_spent", 11)
    assert second.json()["receipt"] == first.headers["oneact-receipt"]
    kept = second.json()["response"]
    assert (kept["status"], base64url.decode(kept["body_base64url"])) == (201, first.content)


async def test_two_requests_at_once_with_one_token_book_once(caller: Caller) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    answers = await asyncio.gather(*(caller.show(token, "POST", "/bookings", json=FLIGHT) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


async def test_an_act_by_its_name_runs_in_the_service_too(caller: Caller) -> None:
    booked = await caller.act("POST", "/oneact/act", json=BY_NAME)
    assert (booked.status_code, booked.json()["price"]) == (201, "312.00")
    assert (await caller.verified(booked.headers["oneact-receipt"])).status == "executed"


async def test_parameters_in_path_and_query_are_part_of_the_act(caller: Caller) -> None:
    token = await caller.approved(await caller.ask("DELETE", "/bookings/NYC-1?refund=true"))
    other = await caller.show(token, "DELETE", "/bookings/NYC-2?refund=true")
    assert told(other) == (401, "act_mismatch", 6)
    assert told(await caller.show(token, "DELETE", "/bookings/NYC-1")) == (401, "act_mismatch", 6)
    cancelled = await caller.show(token, "DELETE", "/bookings/NYC-1?refund=true")
    assert cancelled.json() == {"cancelled": "NYC-1", "refund": True}


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("/bookings", b'{"from": "SFO", "to": "NYC", "date": "2024-03-01", "seat": "1A"}', (422, "parameter_unknown")),
        ("/bookings?seat=1A", json.dumps(FLIGHT).encode(), (422, "parameter_unknown")),
        ("/bookings?bags=1", json.dumps(FLIGHT).encode(), (422, "parameter_unknown")),
        ("/bookings", b'{"from": "SFO", "to": "NYC", "to": "LAX", "date": "2024-03-01"}', (400, "json_duplicate_key")),
        ("/bookings", b'{"from": "SFO", "to": "NYC", "date": "2024-03-01", "bags": 1.0}', (400, "json_number")),
        ("/bookings", b'{"from": "SFO", "to": "NYC", "date": "2024-03-01", "bags": "x"}', (422, "parameters_invalid")),
        ("/bookings", b"{", (400, "json_malformed")),
        ("/bookings", b"null", (422, "parameters_invalid")),
        ("/oneact/act", b'{"action": "toString", "parameters": {}}', (404, "action_unknown")),
        ("/oneact/act", b"{", (400, "json_malformed")),
        (
            "/oneact/act",
            b'{"action": "book_flight", "action": "cancel_flight", "parameters": {}}',
            (400, "json_duplicate_key"),
        ),
        ("/oneact/act", b'{"action": 5, "parameters": {}}', (400, "request_malformed")),
        ("/oneact/act", b'{"action": "book_flight"}', (400, "request_malformed")),
        ("/oneact/act", b'{"action": "book_flight", "parameters": 1}', (400, "request_malformed")),
    ],
)
async def test_what_is_no_act_is_refused_by_the_sidecars_own_reading(
    caller: Caller, path: str, content: bytes, expected: tuple[int, str]
) -> None:
    headers = caller.accept | {"Content-Type": "application/json"}
    answer = await caller.client.post(caller.resource + path, content=content, headers=headers)
    assert told(answer)[:2] == expected


async def test_two_authorization_headers_reach_the_sidecar_as_two(caller: Caller) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    headers = caller.agent.headers("POST", caller.resource + "/bookings", token, int(time.time()))
    twice = [*headers.items(), ("Authorization", headers["Authorization"])]
    answer = await caller.client.post(caller.resource + "/bookings", headers=twice, json=FLIGHT)
    assert told(answer) == (401, "authorization_repeated", 1)


async def test_changed_terms_are_refused_with_a_fresh_offer(
    server: ApprovalServer, place: Place, tmp_path: Path
) -> None:
    async with calling(server, place.resource) as caller:
        with sidecar(place):
            with express(place):
                token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
            with express(place, app=changed(tmp_path, "312 + 30", "412 + 30")):
                answer = await caller.show(token, "POST", "/bookings", json=FLIGHT)
                assert told(answer) == (401, "terms_changed", 7)
                dearer = await caller.approved(answer.json()["transaction_challenge"])
                booked = await caller.show(dearer, "POST", "/bookings", json=FLIGHT)
    assert booked.json()["price"] == "412.00"


async def test_a_handler_that_throws_leaves_the_outcome_unknown_and_runs_no_more(
    server: ApprovalServer, place: Place, tmp_path: Path
) -> None:
    broken = changed(tmp_path, "bookings.set(act.txn, act.account);", 'throw new Error("the handler broke");')
    with sidecar(place), express(place, app=broken):
        async with calling(server, place.resource) as caller:
            token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
            for _ in range(2):
                answer = await caller.show(token, "POST", "/bookings", json=FLIGHT)
                assert told(answer) == (409, "already_spent", 11)
                assert (await caller.verified(answer.json()["receipt"])).status == "unknown"


async def test_an_answer_from_400_on_is_a_failed_act(server: ApprovalServer, place: Place, tmp_path: Path) -> None:
    full = changed(tmp_path, "bookings.set(act.txn, act.account);", 'return [409, { error: "sold_out" }];')
    with sidecar(place), express(place, app=full):
        async with calling(server, place.resource) as caller:
            answer = await caller.act("POST", "/bookings", json=FLIGHT)
            assert (answer.status_code, answer.json()) == (409, {"error": "sold_out"})
            assert (await caller.verified(answer.headers["oneact-receipt"])).status == "failed"


async def test_without_its_sidecar_the_service_executes_nothing(server: ApprovalServer, place: Place) -> None:
    async with calling(server, place.resource) as caller:
        with express(place):
            with sidecar(place):
                token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
            for headers in (caller.accept, caller.agent.headers("POST", caller.resource, token, int(time.time()))):
                answer = await caller.client.post(caller.resource + "/bookings", headers=headers, json=FLIGHT)
                assert (answer.status_code, answer.json()) == (503, Refusal(Reason.STORE_UNAVAILABLE).body())
            with sidecar(place):
                assert (await caller.show(token, "POST", "/bookings", json=FLIGHT)).status_code == 201


async def signed_in(caller: Caller) -> None:
    await caller.client.get(caller.resource + "/login?name=alice")


async def linked(caller: Caller) -> httpx.Response:
    page = await caller.client.get(caller.resource + "/oneact/link")
    csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    fields, origin = {"issuer": caller.server.issuer, "csrf": csrf}, {"Origin": caller.resource}
    started = await caller.client.post(caller.resource + "/oneact/link", data=fields, headers=origin)
    assert started.status_code == 303, started.text
    return await caller.client.get(caller.server.authorize(started.headers["location"]))


async def test_the_link_page_works_through_the_relay_and_the_link_ends_by_an_act(
    server: ApprovalServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = await settle_in(tmp_path, issuers='"linked"')
    with sidecar(place), express(place):
        async with calling(server, place.resource) as caller:
            assert (await caller.client.get(caller.resource + "/oneact/link")).headers["location"] == "/login"
            await signed_in(caller)
            page = await linked(caller)
            assert page.status_code == 200
            assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
            assert (await caller.act("POST", "/bookings", json=FLIGHT)).status_code == 201
            wanted = {"action": "oneact.unlink", "parameters": {"issuer": server.issuer}}
            assert (await caller.act("POST", "/oneact/act", json=wanted)).json() == {"unlinked": server.issuer}
            answer = await caller.client.post(caller.resource + "/bookings", json=FLIGHT, headers=caller.accept)
            assert told(answer)[:2] == (401, "issuer_not_accepted")
    assert [line for line in capfd.readouterr().out.splitlines() if line.startswith("tell")] == [
        "tell alice: linked",
        "tell alice: unlinked",
    ]


async def test_a_later_roster_and_the_question_for_a_receipt_pass_through_the_relay(caller: Caller) -> None:
    booked = await caller.act("POST", "/bookings", json=FLIGHT)
    txn = receipt.parse(booked.headers["oneact-receipt"])[0].txn
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    other = await caller.show(token, "GET", f"/oneact/receipts/{txn}")
    assert told(other)[:2] == (404, "receipt_unknown")
    again = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    path = f"/oneact/receipts/{receipt.parse(again.headers['oneact-receipt'])[0].txn}"
    assert (await caller.show(token, "GET", path)).json()["receipt"] == again.headers["oneact-receipt"]
    later = caller.server.person.signed_roster(caller.resource, 2).members()
    assert (await caller.client.post(caller.resource + "/oneact/roster", json=later)).status_code == 204


async def test_a_page_is_relayed_whole_whatever_its_letters(caller: Caller) -> None:
    await caller.client.get(caller.resource + "/login", params={"name": "Zoë Ångström 日本"})
    page = await caller.client.get(caller.resource + "/oneact/link")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "Zoë Ångström 日本" in page.text
    assert page.text.endswith("</html>")


async def test_nothing_that_a_caller_sends_makes_it_an_account(caller: Caller) -> None:
    page = "/oneact/link"
    claimed = {"id": "alice", "label": "alice", "auth_time": int(time.time())}
    headers = {"OneAct-Account": json.dumps(claimed), "Account": "alice", "Cookie": "air=nobody"}
    answer = await caller.client.get(caller.resource + page, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


async def test_the_guards_own_addresses_answer_under_the_service(caller: Caller) -> None:
    found = await caller.client.get(caller.resource + "/.well-known/oauth-protected-resource")
    assert found.json()["resource"] == caller.resource
    actions: list[Any] = (await caller.client.get(caller.resource + "/oneact/actions")).json()["actions"]
    assert {item["action"] for item in actions} == {"book_flight", "cancel_flight", "oneact.unlink"}
    assert (await caller.client.get(caller.resource + "/oneact/client.json")).json()["client_name"] == "Example Air"
    assert told(await caller.client.get(caller.resource + "/oneact/no"))[:2] == (404, "address_unknown")
    for path in ("/oneact/roster", "/oneact/act"):
        other = await caller.client.get(caller.resource + path)
        assert (*told(other)[:2], other.headers["allow"]) == (405, "method_not_allowed", "POST")


async def opened(caller: Caller) -> str:
    reads = (await caller.client.get(caller.resource + "/oneact/actions")).json()["reads"]
    return caller.server.person.read_token(caller.resource, reads, caller.agent, int(time.time()))


async def test_what_a_person_has_opened_is_read_of_that_account_alone(caller: Caller) -> None:
    booked = await caller.act("POST", "/bookings", json=FLIGHT)
    token = await opened(caller)
    for _ in range(2):
        answer = await caller.show(token, "GET", "/bookings")
        assert answer.status_code == 200
        assert answer.json() == [receipt.parse(booked.headers["oneact-receipt"])[0].txn]


async def test_without_a_read_token_nothing_is_read(caller: Caller) -> None:
    await caller.act("POST", "/bookings", json=FLIGHT)
    answer = await caller.client.get(caller.resource + "/bookings")
    assert told(answer) == (401, "read_token_required", 0)
    assert answer.headers["www-authenticate"] == 'DPoP error="insufficient_authorization", scope="read"'
    act = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    assert told(await caller.show(act, "GET", "/bookings"))[:2] == (401, "token_malformed")


async def test_a_body_that_no_call_can_hold_is_refused_by_the_example_itself(caller: Caller) -> None:
    answer = await caller.client.post(caller.resource + "/bookings", content=b"x" * 70_000, headers=caller.accept)
    assert (answer.status_code, answer.json()) == (413, {"error": "invalid_request", "reason": "request_too_large"})
    packed = caller.accept | {"Content-Encoding": "rot13"}
    answer = await caller.client.post(caller.resource + "/bookings", content=b"{}", headers=packed)
    assert (answer.status_code, answer.json()) == (415, {"error": "invalid_request", "reason": "media_type"})


def test_the_example_stays_short_enough_to_read() -> None:
    assert len((EXPRESS / "app.js").read_text("utf-8").splitlines()) <= 105
