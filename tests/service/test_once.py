"""Never twice: repeated requests, racing callers, crashes, a store that does not answer."""

import asyncio
import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from tests.ports import free_port
from tests.rounds import rounds
from tests.service.airline import Airline
from tests.service.conftest import link
from tests.service.world import ApprovalServer, Caller, calling, eventually, served

from oneact.errors import Reason, Refusal
from oneact.protocol import action, offer
from oneact.service.store.contract import Spend

FLIGHT: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}
ROUNDS = rounds(200, 1000)
CALLERS = 16


def reason(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["reason"]


async def test_a_repeated_request_gets_the_outcome_and_no_second_run(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    first = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    again = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    assert reason(again) == (409, "already_spent")
    assert again.json()["receipt"] == first.headers["oneact-receipt"]
    assert again.json()["salt"] == first.headers["oneact-result-salt"]
    kept = again.json()["response"]
    assert (kept["status"], kept["content_type"]) == (201, "application/json")
    assert base64.urlsafe_b64decode(kept["body_base64url"] + "==") == first.content
    assert len(airline.books.all()) == 1


async def test_the_outcome_is_told_after_expiry_and_after_the_terms_changed(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    first = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    airline.price = "1.00"
    clock = airline.guard.now
    airline.guard.now = lambda: clock() + 31
    later = clock() + 31
    url = caller.resource + "/bookings"
    again = await caller.client.post(url, headers=caller.agent.headers("POST", url, token, later), json=FLIGHT)
    assert reason(again) == (409, "already_spent")
    assert again.json()["receipt"] == first.headers["oneact-receipt"]
    assert len(airline.books.all()) == 1


async def test_an_expired_token_that_was_not_used_is_refused(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    clock = airline.guard.now
    airline.guard.now = lambda: clock() + 31
    url = caller.resource + "/bookings"
    answer = await caller.client.post(url, headers=caller.agent.headers("POST", url, token, clock() + 31), json=FLIGHT)
    assert reason(answer) == (401, "token_expired")
    assert answer.json()["not_executed"] is True


def redeployed(airline: Airline, name: str = "book_flight") -> None:
    """Put a release in place that publishes another action under the same name."""
    found = airline.guard.actions[name]
    document = {**found.action.document, "intent": "Book any flight"}
    airline.guard.actions[name] = replace(found, action=action.parse(document))


async def test_after_a_redeploy_a_used_approval_is_never_told_to_be_unused(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    assert (await caller.show(token, "POST", "/bookings", json=FLIGHT)).status_code == 201
    redeployed(airline)
    again = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    assert reason(again) == (401, "act_mismatch")
    assert "not_executed" not in again.json()
    assert len(airline.books.all()) == 1


async def test_after_a_redeploy_an_unused_approval_is_told_to_be_unused(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    redeployed(airline)
    again = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    assert reason(again) == (401, "act_mismatch")
    assert again.json()["not_executed"] is True


async def test_what_the_store_cannot_tell_is_not_told(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    redeployed(airline)
    await airline.guard.store.close()
    again = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    assert reason(again) == (401, "act_mismatch")
    assert "not_executed" not in again.json()


async def test_a_refusal_by_an_earlier_check_says_nothing_of_what_was_executed(caller: Caller) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    caller.agent = type(caller.agent)("another-agent")
    refused = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    assert reason(refused) == (401, "proof_binding")
    assert "not_executed" not in refused.json()


async def test_another_holder_learns_nothing_of_a_used_approval(caller: Caller, airline: Airline) -> None:
    challenge = await caller.ask("POST", "/bookings", json=FLIGHT)
    await caller.show(await caller.approved(challenge), "POST", "/bookings", json=FLIGHT)
    caller.agent = type(caller.agent)("another-agent")
    answer = await caller.show(await caller.approved(challenge), "POST", "/bookings", json=FLIGHT)
    assert reason(answer) == (401, "spent_by_another")
    assert "receipt" not in answer.json()
    assert len(airline.books.all()) == 1


async def test_while_it_runs_the_holder_is_told_to_wait_and_late_work_supersedes_unknown(
    caller: Caller, airline: Airline, server: ApprovalServer
) -> None:
    body = FLIGHT | {"note": "slow"}
    token = await caller.approved(await caller.ask("POST", "/bookings", json=body))
    first = asyncio.create_task(caller.show(token, "POST", "/bookings", json=body))
    await eventually(airline.books.all)
    second = await caller.show(token, "POST", "/bookings", json=body)
    assert reason(second) == (409, "act_in_progress")
    assert second.headers["retry-after"] == "1"
    await eventually(lambda: server.receipts)
    if airline.is_wsgi:
        assert not first.done()
        airline.release.set()
    cut = await first
    assert reason(cut) == (409, "already_spent")
    assert (await caller.verified(cut.json()["receipt"])).status == "unknown"
    airline.release.set()
    await eventually(lambda: len(server.receipts) == 2)
    statuses = [(await caller.verified(text)).status for text in server.receipts]
    assert statuses == ["unknown", "executed"]
    assert len(airline.books.all()) == 1


async def test_a_handler_that_breaks_leaves_unknown_and_is_not_run_again(caller: Caller, airline: Airline) -> None:
    body = FLIGHT | {"note": "raise"}
    token = await caller.approved(await caller.ask("POST", "/bookings", json=body))
    first = await caller.show(token, "POST", "/bookings", json=body)
    again = await caller.show(token, "POST", "/bookings", json=body)
    assert reason(first) == reason(again) == (409, "already_spent")
    assert first.json()["receipt"] == again.json()["receipt"]
    found = await caller.verified(again.json()["receipt"])
    assert found.status == "unknown"
    assert len(airline.books.all()) == 1


async def test_the_owner_can_settle_what_is_unknown_once(caller: Caller, airline: Airline) -> None:
    body = FLIGHT | {"note": "raise"}
    token = await caller.approved(await caller.ask("POST", "/bookings", json=body))
    first = await caller.show(token, "POST", "/bookings", json=body)
    txn = (await caller.verified(first.json()["receipt"])).txn
    assert await airline.guard.settle(caller.server.issuer, txn, "executed")
    assert not await airline.guard.settle(caller.server.issuer, txn, "failed")
    again = await caller.show(token, "POST", "/bookings", json=body)
    assert (await caller.verified(again.json()["receipt"])).status == "executed"


async def test_a_caller_that_goes_away_does_not_stop_the_act(
    caller: Caller, airline: Airline, server: ApprovalServer
) -> None:
    body = FLIGHT | {"note": "slow"}
    token = await caller.approved(await caller.ask("POST", "/bookings", json=body))
    first = asyncio.create_task(caller.show(token, "POST", "/bookings", json=body))
    await eventually(airline.books.all)
    first.cancel()
    airline.release.set()
    await eventually(lambda: server.receipts)
    assert (await caller.verified(server.receipts[-1])).status == "executed"


async def test_a_store_that_is_down_means_503_and_nothing_is_executed(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    working = airline.guard.store.spend

    async def down(_: Spend) -> bool:
        raise Refusal(Reason.STORE_UNAVAILABLE, "down")

    airline.guard.store.spend = down  # type: ignore[method-assign]  # the database goes away at this very moment
    assert reason(await caller.show(token, "POST", "/bookings", json=FLIGHT)) == (503, "store_unavailable")
    assert airline.books.all() == []
    airline.guard.store.spend = working  # type: ignore[method-assign]  # and comes back
    assert (await caller.show(token, "POST", "/bookings", json=FLIGHT)).status_code == 201
    assert len(airline.books.all()) == 1


async def test_a_database_that_is_no_database_means_503(caller: Caller, airline: Airline, tmp_path: Path) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    for name in ("air.db", "air.db-wal", "air.db-shm"):
        Path.write_bytes(tmp_path / name, b"this was a database")
    assert reason(await caller.show(token, "POST", "/bookings", json=FLIGHT)) == (503, "store_unavailable")
    assert airline.books.all() == []


async def test_receipts_wait_in_the_outbox_across_a_restart(tmp_path: Path) -> None:
    there, port = free_port(), free_port()
    server = ApprovalServer(f"http://localhost:{there}")
    await link(tmp_path, f"http://localhost:{port}", server)
    server.receipt_status = 503
    with served(server, there):
        first = Airline("asgi", port, server.issuer, tmp_path)
        with served(first.app, port):
            async with calling(server, first.resource) as caller:
                booked = await caller.act("POST", "/bookings", json=FLIGHT)
            await eventually(lambda: server.receipts)
        server.receipt_status = 204
        server.receipts.clear()
        second = Airline("asgi", port, server.issuer, tmp_path)
        with served(second.app, port):
            await eventually(lambda: server.receipts, 40)
    assert server.receipts == [booked.headers["oneact-receipt"]]


async def test_a_receipt_is_given_to_the_holder_of_the_token_alone(caller: Caller) -> None:
    challenge = await caller.ask("POST", "/bookings", json=FLIGHT)
    token = await caller.approved(challenge)
    early = await caller.show(token, "GET", f"/oneact/receipts/{offer.parse(challenge)[0].txn}")
    assert reason(early) == (404, "receipt_unknown")
    booked = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    path = f"/oneact/receipts/{booked.json()['txn']}"
    assert (await caller.show(token, "GET", path)).json()["receipt"] == booked.headers["oneact-receipt"]
    assert reason(await caller.show(token, "GET", "/oneact/receipts/another")) == (404, "receipt_unknown")
    assert reason(await caller.client.get(caller.resource + path)) == (401, "authorization_not_dpop")
    caller.agent = type(caller.agent)("another-agent")
    assert reason(await caller.show(token, "GET", path)) == (401, "proof_binding")
    other = await caller.approved(challenge)
    assert reason(await caller.show(other, "GET", path)) == (401, "spent_by_another")


async def test_a_receipt_can_be_fetched_from_a_process_that_has_just_started(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    booked = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    airline.guard.issuers._keys.clear()
    found = await caller.show(token, "GET", f"/oneact/receipts/{booked.json()['txn']}")
    assert found.json()["status"] == "executed"
