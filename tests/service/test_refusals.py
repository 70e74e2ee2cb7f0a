"""What the guard refuses, each with its code, and that nothing is spent or executed by it."""

import time
from typing import Any

import httpx
import pytest
from tests.service.airline import Airline
from tests.service.world import Caller

from oneact.protocol import dpop
from oneact.testing import InProcessApprover, TestAgent, new_key

FLIGHT: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}


def reason(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["reason"]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"json": FLIGHT | {"seat": "1A"}}, (422, "parameter_unknown")),
        ({"json": FLIGHT, "params": {"bags": "1"}}, (422, "parameter_unknown")),
        ({"json": FLIGHT, "params": {"debug": "1"}}, (422, "parameter_unknown")),
        ({"json": {"from": "SFO", "to": "NYC"}}, (422, "parameters_invalid")),
        ({"json": FLIGHT | {"bags": 9}}, (422, "parameters_invalid")),
        ({"json": FLIGHT | {"bags": "many"}}, (422, "parameters_invalid")),
        ({"json": [FLIGHT]}, (422, "parameters_invalid")),
        ({"json": FLIGHT | {"bags": 1.0}}, (400, "json_number")),
        ({"json": FLIGHT | {"bags": 2**53}}, (400, "json_number")),
        ({"content": b'{"note":"\\ud800"}'}, (400, "json_surrogate")),
        ({"json": FLIGHT | {"note": "x" * 300_000}}, (413, "request_too_large")),
        ({"json": FLIGHT | {"note": "x" * 17_000}}, (422, "too_large_to_show")),
        ({"data": FLIGHT}, (415, "media_type")),
    ],
)
async def test_a_request_that_is_not_exactly_an_act_is_refused(
    caller: Caller, request_: dict[str, Any], expected: tuple[int, str]
) -> None:
    kind = {"Content-Type": "application/json"} if "content" in request_ else {}
    answer = await caller.client.post(caller.resource + "/bookings", headers=caller.accept | kind, **request_)
    assert reason(answer) == expected


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"json": {"from": "SFO", "to": "NYC"}}, "date"),
        ({"json": FLIGHT | {"bags": 9}}, "bags"),
        ({"json": FLIGHT | {"from": 7}}, "from"),
        ({"json": FLIGHT, "params": {"bags": "1"}}, "bags"),
        ({"json": FLIGHT | {"seat": "1A"}}, None),
        ({"json": FLIGHT, "params": {"seat": "1A"}}, None),
        ({"json": [FLIGHT]}, None),
    ],
)
async def test_a_refusal_names_the_actions_own_field_and_never_the_callers(
    caller: Caller, request_: dict[str, Any], field: str | None
) -> None:
    answer = await caller.client.post(caller.resource + "/bookings", headers=caller.accept, **request_)
    assert answer.json().get("field") == field
    assert "seat" not in answer.text


async def test_what_a_caller_names_is_logged(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "oneact.service"):
        await caller.client.post(caller.resource + "/bookings", headers=caller.accept, json=FLIGHT | {"seat": "1A"})
        await caller.client.post(caller.resource + "/bookings", headers=caller.accept, json=FLIGHT | {"bags": 9})
        await caller.client.post(caller.resource + "/bookings", headers=caller.accept, content=b"{}")
    unknown, unfit, untyped = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert unknown.startswith("POST /bookings refused: parameter_unknown: ")
    assert "'seat'" in unknown
    assert "bags" in unfit
    assert untyped.startswith("POST /bookings refused: media_type")


async def test_what_a_caller_sends_stays_on_one_line_of_the_log(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "oneact.service"):
        body = {"action": "x\nERROR forged\u2028line", "parameters": {}}
        await caller.client.post(caller.resource + "/oneact/act", json=body)
    (line,) = [record.getMessage() for record in caplog.records if "action_unknown" in record.getMessage()]
    assert len(line.splitlines()) == 1


async def test_a_duplicated_body_field_is_refused(caller: Caller) -> None:
    body = b'{"from":"SFO","to":"NYC","to":"LHR","date":"2024-03-01"}'
    headers = caller.accept | {"Content-Type": "application/json"}
    answer = await caller.client.post(caller.resource + "/bookings", headers=headers, content=body)
    assert reason(answer) == (400, "json_duplicate_key")


async def test_a_duplicated_query_field_is_refused(caller: Caller) -> None:
    url = caller.resource + "/bookings/ABC?refund=false&refund=true"
    assert reason(await caller.client.delete(url, headers=caller.accept)) == (422, "parameter_repeated")


async def test_a_path_parameter_in_the_body_is_refused(caller: Caller) -> None:
    url = caller.resource + "/bookings/ABC"
    answer = await caller.client.request("DELETE", url, headers=caller.accept, json={"reference": "XYZ"})
    assert reason(answer) == (422, "parameter_unknown")


async def test_another_charset_is_refused(caller: Caller) -> None:
    headers = caller.accept | {"Content-Type": "application/json; charset=utf-16"}
    answer = await caller.client.post(caller.resource + "/bookings", headers=headers, content=b"{}")
    assert reason(answer) == (415, "media_type")


@pytest.mark.parametrize(
    "accept", [None, "?1", "?0", '?1;as="http://localhost:1"', "?1;as=token", '?1;as="', "?1 as", '?1;as="a", ?1']
)
async def test_without_an_accepted_issuer_there_is_no_offer(caller: Caller, accept: str | None) -> None:
    headers = {} if accept is None else {"Accept-Txn-Challenge": accept}
    answer = await caller.client.post(caller.resource + "/bookings", headers=headers, json=FLIGHT)
    assert reason(answer) == (401, "issuer_not_accepted")
    assert answer.json()["link_uri"] == caller.resource + "/oneact/link"
    assert "transaction_challenge" not in answer.text


async def test_an_action_nobody_guards_is_unknown(caller: Caller) -> None:
    answer = await caller.client.post(caller.resource + "/oneact/act", json={"action": "x", "parameters": {}})
    assert reason(answer) == (404, "action_unknown")


@pytest.mark.parametrize("body", [{"action": "x"}, {"action": 1, "parameters": {}}, {"action": "x", "parameters": []}])
async def test_a_call_by_name_has_exactly_its_members(caller: Caller, body: dict[str, Any]) -> None:
    assert reason(await caller.client.post(caller.resource + "/oneact/act", json=body)) == (400, "request_malformed")


@pytest.mark.parametrize("change", [{"bags": 1}, {"to": "LHR"}, {"note": "gift"}])
async def test_a_changed_parameter_is_not_the_act(caller: Caller, airline: Airline, change: dict[str, Any]) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    answer = await caller.show(token, "POST", "/bookings", json=FLIGHT | change)
    assert reason(answer) == (401, "act_mismatch")
    assert (answer.json()["check"], answer.json()["not_executed"]) == (6, True)
    assert airline.books.all() == []


async def test_a_failed_check_spends_nothing(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    await caller.show(token, "POST", "/bookings", json=FLIGHT | {"to": "LHR"})
    assert (await caller.show(token, "POST", "/bookings", json=FLIGHT)).status_code == 201
    assert len(airline.books.all()) == 1


async def test_changed_terms_are_refused_with_a_fresh_offer(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    airline.price = "399.00"
    answer = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    assert reason(answer) == (401, "terms_changed")
    assert answer.json()["not_executed"] is True
    again = await caller.approved(answer.json()["transaction_challenge"])
    assert (await caller.show(again, "POST", "/bookings", json=FLIGHT)).status_code == 201
    assert len(airline.books.all()) == 1


async def test_terms_the_service_never_stated_are_refused(caller: Caller, airline: Airline) -> None:
    challenge = await caller.ask("POST", "/bookings", json=FLIGHT)
    foreign = await caller.approved(challenge, txn="AAAA" * 19)
    assert reason(await caller.show(foreign, "POST", "/bookings", json=FLIGHT)) == (401, "txn_foreign")
    assert airline.books.all() == []


async def test_a_person_who_is_not_linked_approves_nothing(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT), sub="somebody-else")
    assert reason(await caller.show(token, "POST", "/bookings", json=FLIGHT)) in {
        (401, "txn_foreign"), (401, "account_not_linked"),
    }  # fmt: skip
    assert airline.books.all() == []


async def test_a_stolen_signing_key_without_the_passkey_approves_nothing(caller: Caller, airline: Airline) -> None:
    person = caller.server.person
    thief = InProcessApprover(person.issuer, person.sub, person.key)
    caller.server.person = thief
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    caller.server.person = person
    assert reason(await caller.show(token, "POST", "/bookings", json=FLIGHT)) == (401, "passkey_not_pinned")
    assert airline.books.all() == []


async def test_a_key_the_issuer_does_not_publish_is_refused(caller: Caller) -> None:
    person = caller.server.person
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    assert (await caller.show(token, "POST", "/bookings", json=FLIGHT)).status_code == 201
    caller.server.person = InProcessApprover(person.issuer, person.sub, new_key())
    forged = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    caller.server.person = person
    assert reason(await caller.show(forged, "POST", "/bookings", json=FLIGHT)) == (401, "token_key")


async def test_a_token_of_an_issuer_that_is_not_listed_is_refused(caller: Caller) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT), iss="http://localhost:1")
    assert reason(await caller.show(token, "POST", "/bookings", json=FLIGHT)) == (401, "token_issuer")


async def test_the_token_as_bearer_is_refused(caller: Caller) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    headers = {"Authorization": f"Bearer {token}"}
    answer = await caller.client.post(caller.resource + "/bookings", headers=headers, json=FLIGHT)
    assert reason(answer) == (401, "authorization_not_dpop")
    assert answer.headers["www-authenticate"] == 'DPoP error="invalid_token"'


async def test_a_proof_is_good_once(caller: Caller) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    url = caller.resource + "/bookings"
    headers = caller.agent.headers("POST", url, token, int(time.time()))
    assert (await caller.client.post(url, headers=headers, json=FLIGHT)).status_code == 201
    assert reason(await caller.client.post(url, headers=headers, json=FLIGHT)) == (401, "proof_replayed")


async def test_a_proof_for_another_address_is_refused(caller: Caller) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    proof = dpop.build(caller.agent.key, "POST", caller.resource + "/other", int(time.time()), "j", token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    answer = await caller.client.post(caller.resource + "/bookings", headers=headers, json=FLIGHT)
    assert reason(answer) == (401, "proof_htu")


async def test_the_host_header_is_never_believed(caller: Caller) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    proof = dpop.build(caller.agent.key, "POST", "http://evil.example/bookings", int(time.time()), "j", token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof, "Host": "evil.example"}
    answer = await caller.client.post(caller.resource + "/bookings", headers=headers, json=FLIGHT)
    assert reason(answer) == (401, "proof_htu")


async def test_another_agents_proof_is_refused(caller: Caller) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    caller.agent = TestAgent()
    assert reason(await caller.show(token, "POST", "/bookings", json=FLIGHT)) == (401, "proof_binding")


async def test_terms_for_unknown_callers_are_limited(caller: Caller, airline: Airline) -> None:
    airline.guard.rate._per_minute = 2
    url = caller.resource + "/bookings"
    answers = [await caller.client.post(url, headers=caller.accept, json=FLIGHT) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]


async def test_a_method_that_is_not_the_actions_own_is_not_found(caller: Caller) -> None:
    assert (await caller.client.get(caller.resource + "/bookings")).status_code == 405


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/oneact/act", "POST"),
        ("PUT", "/oneact/act", "POST"),
        ("POST", "/oneact/jwks.json", "GET"),
        ("DELETE", "/oneact/link", "GET, POST"),
        ("POST", "/.well-known/oauth-protected-resource", "GET"),
    ],
)
async def test_a_method_that_an_address_does_not_take_is_refused_by_the_table(
    caller: Caller, method: str, path: str, allow: str
) -> None:
    answer = await caller.client.request(method, caller.resource + path)
    assert reason(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize("path", ["/oneact/nothing", "/oneact/actions/a/b", "/oneact/"])
async def test_an_address_at_which_nothing_stands_is_refused_by_the_table(caller: Caller, path: str) -> None:
    assert reason(await caller.client.get(caller.resource + path)) == (404, "address_unknown")
