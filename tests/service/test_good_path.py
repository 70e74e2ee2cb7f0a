"""The whole way, in both faces of the guard: ask, approve, act once, receipt."""

import base64
from typing import Any

from tests.service.airline import Airline
from tests.service.world import ApprovalServer, Caller, eventually

from oneact.protocol import canonical, metadata, offer, receipt

FLIGHT: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}
SHOWN = {"from": "SFO", "to": "NYC", "date": "2024-03-01", "bags": 0, "note": ""}


async def test_an_approved_act_is_executed_and_its_receipt_covers_the_answer(caller: Caller, airline: Airline) -> None:
    answer = await caller.act("POST", "/bookings", json=FLIGHT)
    assert answer.status_code == 201, answer.text
    assert answer.json() == {"reference": "SFO-web", "txn": airline.books.all()[0][0], "bags": 0}
    found = await caller.verified(answer.headers["oneact-receipt"])
    salt = base64.urlsafe_b64decode(answer.headers["oneact-result-salt"] + "==")
    assert found.status == "executed"
    assert found.result_digest == receipt.result_digest(salt, answer.content)
    assert (found.aud, found.sub) == (caller.server.issuer, caller.server.person.sub)


async def test_the_act_belongs_to_the_account_that_the_person_is_linked_to(caller: Caller, airline: Airline) -> None:
    await caller.act("POST", "/bookings", json=FLIGHT)
    assert [(account, note) for _, account, note in airline.books.all()] == [("alice", "")]


async def test_the_offer_holds_the_parameters_with_defaults_and_the_terms(caller: Caller) -> None:
    offered, _ = offer.parse(await caller.ask("POST", "/bookings", json=FLIGHT | {"bags": 2}))
    assert offered.act.parameters == SHOWN | {"bags": 2}
    assert offered.act.terms == {"price": {"amount": "314.00", "currency": "USD"}}
    assert offered.aud == caller.server.issuer


async def test_a_plain_request_is_told_what_is_needed_in_header_and_body(caller: Caller) -> None:
    answer = await caller.client.post(caller.resource + "/bookings", headers=caller.accept, json=FLIGHT)
    assert answer.status_code == 401
    assert answer.json()["reason"] == "approval_required"
    assert answer.headers["cache-control"] == "no-store"
    header = answer.headers["www-authenticate"]
    assert header.startswith('DPoP error="insufficient_authorization", resource_metadata="')
    assert f'transaction_challenge="{answer.json()["transaction_challenge"]}"' in header


async def test_an_offer_too_large_for_the_header_is_in_the_body_alone(caller: Caller) -> None:
    body = FLIGHT | {"note": "x" * 3000}
    answer = await caller.client.post(caller.resource + "/bookings", headers=caller.accept, json=body)
    assert "transaction_challenge" not in answer.headers["www-authenticate"]
    assert answer.json()["transaction_challenge"]


async def test_an_act_runs_by_its_name(caller: Caller, airline: Airline) -> None:
    answer = await caller.act("POST", "/oneact/act", json={"action": "book_flight", "parameters": FLIGHT})
    assert answer.status_code == 201, answer.text
    assert len(airline.books.all()) == 1


async def test_an_offer_of_the_route_may_be_executed_by_name(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    answer = await caller.show(token, "POST", "/oneact/act", json={"action": "book_flight", "parameters": FLIGHT})
    assert answer.status_code == 201, answer.text
    assert len(airline.books.all()) == 1


async def test_parameters_come_from_path_and_query_too(caller: Caller, airline: Airline) -> None:
    answer = await caller.act("DELETE", "/bookings/ABC?refund=true")
    assert answer.json() == {"cancelled": "ABC", "refund": True}
    assert airline.books.all()[0][2] == "cancel ABC True"


async def test_the_published_action_names_route_sources_and_lines(caller: Caller) -> None:
    found = await caller.document("cancel_flight")
    assert (found["method"], found["path"]) == ("DELETE", "/bookings/{reference}")
    assert found["sources"] == {"reference": "path", "refund": "query"}
    booked = await caller.document("book_flight")
    assert booked["summary"] == "Fly {/parameters/from} to {/parameters/to} on {/parameters/date}"
    assert {"pointer": "/terms/price", "label": "Price", "format": "money"} in booked["display"]
    assert {"pointer": "/parameters/date", "label": "Date", "format": "date"} in booked["display"]
    assert booked["schema"]["additionalProperties"] is False


async def test_every_published_action_is_served_by_its_digest(caller: Caller) -> None:
    listed = (await caller.client.get(caller.resource + "/oneact/actions")).json()["actions"]
    assert len(listed) == 3
    for document in listed:
        one = await caller.client.get(f"{caller.resource}/oneact/actions/{canonical.digest(document)}")
        assert one.json() == document
    assert (await caller.client.get(caller.resource + "/oneact/actions/unknown")).status_code == 404


async def test_the_metadata_names_every_address_at_the_service_itself(caller: Caller) -> None:
    document = (await caller.client.get(caller.resource + metadata.SERVICE_PATH)).json()
    found = metadata.parse_service(document, caller.resource)
    assert found.authorization_servers == (caller.server.issuer,)
    client = (await caller.client.get(caller.resource + "/oneact/client.json")).json()
    assert client["client_id"] == caller.resource + "/oneact/client.json"


async def test_the_receipt_reaches_the_approval_server(caller: Caller, server: ApprovalServer) -> None:
    answer = await caller.act("POST", "/bookings", json=FLIGHT)
    await eventually(lambda: server.receipts)
    assert server.receipts == [answer.headers["oneact-receipt"]]


async def test_the_holder_of_the_token_can_fetch_the_receipt(caller: Caller) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    booked = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    found = await caller.show(token, "GET", f"/oneact/receipts/{booked.json()['txn']}")
    assert found.json() == {"receipt": booked.headers["oneact-receipt"], "status": "executed"}


async def test_a_handler_that_says_no_fails_with_a_receipt(caller: Caller, airline: Airline) -> None:
    answer = await caller.act("POST", "/bookings", json=FLIGHT | {"note": "refuse"})
    if answer.status_code != 409 or "receipt" in answer.json():  # the plain faces know no HTTPException
        assert (await caller.verified(answer.json()["receipt"])).status == "unknown"
    else:
        assert (await caller.verified(answer.headers["oneact-receipt"])).status == "failed"
    assert airline.books.all() == []
