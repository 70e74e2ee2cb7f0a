"""The private API, asked as a service in any language asks it."""

import asyncio
import base64
import json
import time
from typing import Any

import httpx
import pytest

from oneact.protocol import act, base64url, offer, receipt
from tests.service.world import ApprovalServer
from tests.sidecar.running import FLIGHT, PRICE, Place
from tests.sidecar.service import Service, call, refused

BODY = base64.b64encode(b'{"reference":"NYC-1"}').decode()


@pytest.fixture
async def service(private: httpx.AsyncClient, server: ApprovalServer, place: Place) -> Service:
    return Service(private, server, place)


async def test_an_act_is_handed_out_and_its_receipt_comes_back(service: Service) -> None:
    found = await service.verify(await service.approved())
    execute = found["execute"]
    assert (execute["action"], execute["account"], execute["parameters"]) == (
        "book_flight", "alice", FLIGHT | {"bags": 0},
    )  # fmt: skip
    assert execute["terms"] == PRICE
    assert execute["deadline"] - time.time() <= 30
    ended = {"ticket": found["ticket"], "status": 201, "content_type": "application/json", "body_base64": BODY}
    first = await service.client.post("/receipt", json=ended)
    assert first.json()["headers"].keys() == {"OneAct-Receipt", "OneAct-Result-Salt"}
    assert await service.verified(first.json()["headers"]["OneAct-Receipt"]) == "executed"
    assert (await service.client.post("/receipt", json=ended)).json() == first.json()


async def test_of_two_racing_verifications_one_is_told_to_execute(service: Service) -> None:
    token = await service.approved()
    found = await asyncio.gather(*(service.verify(token) for _ in range(8)))
    assert [name for item in found for name in item].count("execute") == 1
    assert {refused(item) for item in found if "answer" in item} == {(409, "act_in_progress")}


async def test_another_word_on_an_act_that_has_ended_is_refused(service: Service) -> None:
    ticket = (await service.verify(await service.approved()))["ticket"]
    assert (await service.client.post("/receipt", json={"ticket": ticket, "status": 201})).status_code == 200
    for word in (500, None):
        answer = await service.client.post("/receipt", json={"ticket": ticket, "status": word})
        assert (answer.status_code, answer.json()["reason"]) == (409, "receipt_conflict")


async def test_an_answer_too_large_to_send_has_a_receipt_without_its_digest(service: Service) -> None:
    ticket = (await service.verify(await service.approved()))["ticket"]
    answer = (await service.client.post("/receipt", json={"ticket": ticket, "status": 200})).json()
    assert answer["headers"].keys() == {"OneAct-Receipt"}
    parsed = receipt.parse(answer["headers"]["OneAct-Receipt"])[0]
    assert (parsed.status, parsed.result_digest) == ("executed", None)


async def test_a_later_word_stands_in_place_of_unknown_once(service: Service) -> None:
    found = await service.verify(await service.approved())
    ticket, act = found["ticket"], found["execute"]
    unknown = (await service.client.post("/receipt", json={"ticket": ticket, "status": None})).json()
    assert refused(unknown) == (409, "already_spent")
    settled = {"issuer": act["issuer"], "txn": act["txn"], "state": "executed"}
    assert (await service.client.post("/settle", json=settled)).json() == {"settled": True}
    assert (await service.client.post("/settle", json=settled)).json() == {"settled": False}


async def test_a_store_that_cannot_answer_hands_nothing_out(service: Service) -> None:
    token, spare = await service.approved(), await service.approved()
    ticket = (await service.verify(spare))["ticket"]
    for file in (service.place.folder / "var").glob("air.db*"):
        file.write_bytes(b"this was a database")
    assert refused(await service.verify(token)) == (503, "store_unavailable")
    answer = await service.client.post("/receipt", json={"ticket": ticket, "status": 201})
    assert (answer.status_code, answer.json()["reason"]) == (503, "store_unavailable")


async def test_the_owners_own_support_can_unlink_an_account(service: Service) -> None:
    token = await service.approved()
    unlinked = (await service.client.post("/unlink", json={"account": "alice"})).json()
    assert unlinked == {"unlinked": True, "notices": [{"account": "alice", "event": "unlinked"}]}
    assert refused(await service.verify(token)) == (401, "account_not_linked")
    again = (await service.client.post("/unlink", json={"account": "alice"})).json()
    assert again == {"unlinked": False, "notices": []}


@pytest.mark.parametrize("ticket", ["no", "a.b", "W10.AAAA", "{forged}", "{cut}"])
async def test_a_ticket_that_was_not_handed_out_is_refused(service: Service, ticket: str) -> None:
    held = (await service.verify(await service.approved()))["ticket"]
    named, _, signed = held.partition(".")
    bent = {"{forged}": f"{named}.{signed[::-1]}", "{cut}": named}.get(ticket, ticket)
    answer = await service.client.post("/receipt", json={"ticket": bent, "status": 201})
    assert (answer.status_code, answer.json()["reason"]) == (404, "receipt_unknown")
    assert (await service.client.post("/receipt", json={"ticket": held, "status": 201})).status_code == 200


async def test_terms_that_are_no_longer_stated_are_refused_with_a_fresh_offer(service: Service) -> None:
    token = await service.approved()
    dearer = {"price": {"amount": "400.00", "currency": "USD"}}
    found = await service.verify(token, terms=dearer)
    assert refused(found) == (401, "terms_changed")
    fresh = httpx.Response(200, text=found["answer"]["body"]).json()["transaction_challenge"]
    assert offer.parse(fresh)[0].act.terms == dearer
    assert "execute" in await service.verify(token)


async def test_a_service_that_still_stands_by_terms_stated_earlier_gives_those_of_the_token(service: Service) -> None:
    token = await service.approved()
    claimed = json.loads(base64url.decode(token.split(".")[1]))["authorization_details"][0]["terms"]
    assert (await service.verify(token, terms=claimed))["execute"]["terms"] == PRICE


async def test_terms_that_only_a_token_claims_are_refused(service: Service) -> None:
    offered = await service.offered()
    cheap = {"price": {"amount": "1.00", "currency": "USD"}}
    described = await service.action("book_flight")
    bent = act.build(service.place.resource, "book_flight", described.digest, FLIGHT | {"bags": 0}, cheap)
    now = int(time.time())
    token = service.server.person.approve_act(bent, described, service.agent, now, txn=offered.txn)
    assert refused(await service.verify(token, terms=cheap)) == (401, "txn_foreign")


async def test_a_token_at_offer_is_the_services_mistake_and_executes_nothing(service: Service) -> None:
    token = await service.approved()
    headers = {"authorization": [f"DPoP {token}"]}
    answer = await service.client.post("/offer", json=call(service.server.issuer, headers=headers))
    assert (answer.status_code, answer.json()["reason"]) == (400, "request_malformed")
    assert "execute" in await service.verify(token)


async def test_a_request_without_a_token_at_verify_gets_the_offer(service: Service) -> None:
    assert refused(await service.ask("/verify")) == (401, "approval_required")


async def test_the_body_may_be_handed_over_as_it_came(service: Service) -> None:
    text = '{"from": "SFO", "to": "NYC", "date": "2024-03-01"}'
    found = await service.verify(await service.approved(parameters=text), parameters=text)
    assert found["execute"]["parameters"] == FLIGHT | {"bags": 0}
    twice = '{"from": "SFO", "to": "NYC", "to": "LAX", "date": "2024-03-01"}'
    assert refused(await service.ask("/offer", parameters=twice)) == (400, "json_duplicate_key")


async def test_texts_of_path_and_query_become_what_the_schema_says(service: Service) -> None:
    flat = {
        "action": "cancel_flight", "parameters": {"reference": "NYC-1", "refund": "true"}, "method": "DELETE",
        "url": "/bookings/NYC-1?refund=true", "terms": ...,
    }  # fmt: skip
    found = await service.verify(await service.approved(**flat), **flat)
    assert found["execute"]["parameters"] == {"reference": "NYC-1", "refund": True}
    assert found["execute"]["terms"] is None


async def test_a_form_is_read_strictly_too(service: Service) -> None:
    headers = {"accept-txn-challenge": [f'?1;as="{service.server.issuer}"'], "content-type": ["text/plain"]}
    found = await service.ask("/offer", parameters="from=SFO", headers=headers)
    assert refused(found) == (415, "media_type")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"action": "fly"}, (404, "action_unknown")),
        ({"method": "PUT"}, (405, "method_not_allowed")),
        ({"method": "PUT", "url": "/oneact/act"}, (405, "method_not_allowed")),
        ({"parameters": FLIGHT | {"seat": "1A"}}, (422, "parameter_unknown")),
        ({"parameters": {}}, (422, "parameters_invalid")),
        ({"headers": {}}, (401, "issuer_not_accepted")),
        (
            {"url": "/oneact/act", "parameters": '{"action":"cancel_flight","parameters":{}}'},
            (400, "request_malformed"),
        ),
        (
            {"url": "/oneact/act?x=1", "parameters": '{"action":"book_flight","parameters":{}}'},
            (422, "parameter_unknown"),
        ),
    ],
)
async def test_a_fault_of_the_agents_is_an_answer_to_relay(
    service: Service, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert refused(await service.ask("/offer", **changes)) == expected
