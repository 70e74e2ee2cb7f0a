"""Unlinking without a passkey: asked for and completed by two fresh sign-ins, 72 hours of notices between them."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from tests.ports import free_port
from tests.service.airline import FACES, Airline
from tests.service.conftest import link
from tests.service.serving import serving
from tests.service.world import ApprovalServer, Caller, calling, page_reason
from typer.testing import CliRunner

from oneact.cli.commands import app
from oneact.errors import Reason, Refusal
from oneact.service import LocalAccount, SqliteStore, unlinking
from oneact.service.browser import csrf as form_csrf
from oneact.service.store.contract import Link
from oneact.testing import FrozenClock, InProcessApprover

FLIGHT: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}
HOUR = 3600
WAIT = 72 * HOUR
WEEK = 7 * 24 * HOUR
STARTED, CANCELLED, UNLINKED = ("alice", "unlink_started"), ("alice", "unlink_cancelled"), ("alice", "unlinked")


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(int(time.time()))


@pytest.fixture(params=FACES)
async def airline(
    request: pytest.FixtureRequest, server: ApprovalServer, tmp_path: Path, clock: FrozenClock
) -> AsyncIterator[Airline]:
    """An airline whose account `alice` is linked and has just signed in."""
    port = free_port()
    found = Airline(request.param, port, server.issuer, tmp_path, deadline=2, now=clock, login_uri="/login?to={next}")
    await link(tmp_path, found.resource, server)
    found.account = LocalAccount("alice", "Alice", clock())
    with serving(found, port):
        yield found


@pytest.fixture
async def caller(server: ApprovalServer, airline: Airline) -> AsyncIterator[Caller]:
    async with calling(server, airline.resource) as found:
        yield found


async def page(caller: Caller) -> httpx.Response:
    return await caller.client.get(caller.resource + "/oneact/unlink")


async def do(caller: Caller, what: str, **changes: str) -> httpx.Response:
    shown = (await page(caller)).text
    fields = {"csrf": shown.partition('name="csrf" value="')[2].partition('"')[0], "do": what} | changes
    headers = {"Origin": caller.resource}
    return await caller.client.post(caller.resource + "/oneact/unlink", data=fields, headers=headers)


def sign_in(airline: Airline, ago: int = 0) -> None:
    airline.account = LocalAccount("alice", "Alice", airline.guard.now() - ago)


async def linked(airline: Airline) -> bool:
    return bool(await airline.guard.store.links("alice"))


async def test_after_72_hours_a_second_fresh_sign_in_unlinks_and_the_account_can_be_linked_anew(
    caller: Caller, airline: Airline, clock: FrozenClock
) -> None:
    assert 'value="ask"' in (await page(caller)).text
    asked = await do(caller, "ask")
    assert (asked.status_code, 'value="cancel"' in asked.text, 'value="complete"' in asked.text) == (200, True, False)
    assert airline.notices == [STARTED]
    clock.advance(WAIT)
    sign_in(airline)
    assert 'value="complete"' in (await page(caller)).text
    done = await do(caller, "complete")
    assert (done.status_code, "not linked" in done.text) == (200, True)
    assert not await linked(airline)
    assert airline.notices == [STARTED, UNLINKED]
    assert 'name="issuer"' in (await caller.client.get(caller.resource + "/oneact/link")).text


async def test_one_second_before_72_hours_nothing_is_completed(
    caller: Caller, airline: Airline, clock: FrozenClock
) -> None:
    await do(caller, "ask")
    clock.advance(WAIT - 1)
    sign_in(airline)
    assert 'value="complete"' not in (await page(caller)).text
    assert page_reason(await do(caller, "complete")) == "unlink_wait"
    assert await linked(airline)


async def test_a_wait_can_still_be_completed_in_the_last_second_of_its_week(
    caller: Caller, airline: Airline, clock: FrozenClock
) -> None:
    await do(caller, "ask")
    clock.advance(WAIT + WEEK - 1)
    sign_in(airline)
    assert (await do(caller, "complete")).status_code == 200
    assert not await linked(airline)


async def test_a_wait_that_nobody_completed_within_a_week_begins_anew(
    caller: Caller, airline: Airline, clock: FrozenClock
) -> None:
    await do(caller, "ask")
    clock.advance(WAIT + WEEK)
    sign_in(airline)
    assert page_reason(await do(caller, "complete")) == "unlink_wait"
    assert 'value="ask"' in (await page(caller)).text
    assert (await do(caller, "ask")).status_code == 200
    assert page_reason(await do(caller, "complete")) == "unlink_wait"
    assert await linked(airline)


@pytest.mark.parametrize("what", ["ask", "complete"])
async def test_asking_and_completing_need_a_fresh_sign_in(
    caller: Caller, airline: Airline, clock: FrozenClock, what: str
) -> None:
    if what == "complete":
        await do(caller, "ask")
        clock.advance(WAIT)
    sign_in(airline, ago=301)
    shown = await page(caller)
    assert f'value="{what}"' not in shown.text
    assert 'href="/login?to=%2Foneact%2Funlink">Sign in again' in shown.text
    refused = await do(caller, what, csrf=await csrf(caller))
    assert page_reason(refused) == "link_login_stale"
    assert 'href="/login?to=%2Foneact%2Funlink"' in refused.text
    assert await linked(airline)
    assert len(airline.notices) == (what == "complete")
    sign_in(airline, ago=300)
    assert (await do(caller, what)).status_code == 200


async def csrf(caller: Caller) -> str:
    return form_csrf(caller.client.cookies["oneact-link"])


async def test_no_time_that_passes_unlinks_by_itself(caller: Caller, airline: Airline, clock: FrozenClock) -> None:
    await do(caller, "ask")
    for _ in range(12):
        clock.advance(24 * HOUR)
        await unlinking.remind(airline.guard)
    assert await linked(airline)


async def test_the_notice_is_given_at_once_and_every_day_until_it_is_too_late(
    caller: Caller, airline: Airline, clock: FrozenClock
) -> None:
    await do(caller, "ask")
    await unlinking.remind(airline.guard)
    assert airline.notices == [STARTED]
    for day in range(1, 15):
        clock.advance(24 * HOUR - 1)
        await unlinking.remind(airline.guard)
        assert len(airline.notices) == min(day, 10)
        clock.advance(1)
        await unlinking.remind(airline.guard)
        assert len(airline.notices) == min(day + 1, 10)


async def test_the_wait_counts_from_the_first_notice_that_went_out(
    caller: Caller, airline: Airline, clock: FrozenClock
) -> None:
    def broken(_account: str, _event: str) -> None:
        raise OSError("no mail today")

    airline.guard.notify, notify = broken, airline.guard.notify
    await do(caller, "ask")
    clock.advance(WAIT)
    sign_in(airline)
    assert page_reason(await do(caller, "complete", csrf=await csrf(caller))) == "unlink_wait"
    await unlinking.remind(airline.guard)
    airline.guard.notify = notify
    await unlinking.remind(airline.guard)  # not due again within the minute
    assert airline.notices == []
    clock.advance(60)
    await unlinking.remind(airline.guard)
    assert airline.notices == [STARTED]
    clock.advance(WAIT - 1)
    sign_in(airline)
    assert page_reason(await do(caller, "complete")) == "unlink_wait"
    clock.advance(1)
    assert (await do(caller, "complete")).status_code == 200
    assert not await linked(airline)


async def test_without_a_way_to_notify_there_is_no_such_way(caller: Caller, airline: Airline) -> None:
    form = await csrf_after(caller)
    airline.guard.notify = None
    assert page_reason(await page(caller)) == "address_unknown"
    refused = await caller.client.post(caller.resource + "/oneact/unlink", data={"do": "ask", "csrf": form})
    assert page_reason(refused) == "address_unknown"
    assert await airline.guard.store.unlinking("alice") is None


async def csrf_after(caller: Caller) -> str:
    await page(caller)
    return await csrf(caller)


async def test_any_session_cancels_and_the_next_can_begin_a_day_later(
    caller: Caller, airline: Airline, clock: FrozenClock
) -> None:
    await do(caller, "ask")
    sign_in(airline, ago=90_000)
    assert "see or cancel that" in (await caller.client.get(caller.resource + "/oneact/link")).text
    assert (await do(caller, "cancel")).status_code == 200
    assert airline.notices == [STARTED, CANCELLED]
    await do(caller, "cancel", csrf=await csrf(caller))
    assert airline.notices == [STARTED, CANCELLED]
    clock.advance(24 * HOUR - 1)
    sign_in(airline)
    assert page_reason(await do(caller, "ask")) == "unlink_wait"
    assert page_reason(await do(caller, "complete")) == "unlink_wait"
    clock.advance(1)
    assert (await do(caller, "ask")).status_code == 200
    clock.advance(WAIT - 24 * HOUR)
    sign_in(airline)
    assert page_reason(await do(caller, "complete")) == "unlink_wait"


async def test_an_act_approved_with_a_pinned_passkey_cancels(
    caller: Caller, airline: Airline, clock: FrozenClock
) -> None:
    real = clock.now
    clock.now = real - WAIT + HOUR
    sign_in(airline)
    await do(caller, "ask")
    clock.now = real
    assert (await caller.act("POST", "/bookings", json=FLIGHT)).status_code == 201
    assert airline.notices == [STARTED, CANCELLED]
    clock.advance(HOUR)
    sign_in(airline)
    assert page_reason(await do(caller, "complete")) == "unlink_wait"


async def test_an_act_that_no_pinned_passkey_approved_cancels_nothing(
    caller: Caller, airline: Airline, clock: FrozenClock
) -> None:
    await do(caller, "ask")
    stranger = InProcessApprover(caller.server.issuer, caller.server.person.sub)
    challenge = await caller.ask("POST", "/bookings", json=FLIGHT)
    caller.server.person.passkey = stranger.passkey
    token = await caller.approved(challenge)
    refused = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    assert refused.json()["reason"] == "passkey_not_pinned"
    assert airline.notices == [STARTED]
    clock.advance(WAIT)
    sign_in(airline)
    assert (await do(caller, "complete")).status_code == 200


async def test_a_roster_that_a_pinned_passkey_vouches_for_cancels_and_the_same_once_more_does_not(
    caller: Caller, airline: Airline, clock: FrozenClock
) -> None:
    url, later = caller.resource + "/oneact/roster", caller.server.person.signed_roster(caller.resource, 2)
    await do(caller, "ask")
    assert (await caller.client.post(url, json=later.members())).status_code == 204
    assert airline.notices == [STARTED, ("alice", "passkeys_changed"), CANCELLED]
    clock.advance(24 * HOUR)
    sign_in(airline)
    await do(caller, "ask")
    assert (await caller.client.post(url, json=later.members())).status_code == 204  # kept by whoever saw it
    assert await airline.guard.store.unlinking("alice") is not None


async def test_forms_of_another_site_or_browser_do_nothing(caller: Caller, airline: Airline) -> None:
    assert page_reason(await do(caller, "ask", csrf="A" * 43)) == "csrf"
    fields = {"do": "ask", "csrf": await csrf(caller)}
    url = caller.resource + "/oneact/unlink"
    foreign = {"Origin": "https://evil.example"}
    assert page_reason(await caller.client.post(url, data=fields, headers=foreign)) == "csrf"
    plain = {"content": urlencode(fields), "headers": {"Content-Type": "text/plain"}}
    assert page_reason(await caller.client.post(url, **plain)) == "csrf"  # type: ignore[arg-type]  # one of each
    assert page_reason(await do(caller, "anything")) == "request_malformed"
    caller.client.cookies.clear()
    assert page_reason(await caller.client.post(url, data=fields)) == "link_state"
    airline.account = None
    assert page_reason(await caller.client.post(url, data=fields)) == "session_required"
    led = await page(caller)
    assert (led.status_code, led.headers["location"]) == (303, "/login?to=%2Foneact%2Funlink")
    airline.guard.login_uri = None
    assert page_reason(await page(caller)) == "session_required"
    assert airline.notices == []


async def test_an_account_without_a_link_has_nothing_to_ask_for(caller: Caller, airline: Airline) -> None:
    airline.account = LocalAccount("bob", "Bob", airline.guard.now())
    assert "not linked" in (await page(caller)).text
    assert page_reason(await do(caller, "ask", csrf=await csrf_after(caller))) == "unlink_wait"
    assert airline.notices == []


async def test_another_accounts_wait_is_not_ones_own(caller: Caller, airline: Airline, clock: FrozenClock) -> None:
    other = InProcessApprover(caller.server.issuer, "another")
    await page(caller)
    assert await airline.guard.store.link(Link("bob", other.roster(caller.resource), 1))
    await do(caller, "ask")
    clock.advance(WAIT)
    airline.account = LocalAccount("bob", "Bob", clock())
    form = await csrf_after(caller)
    assert page_reason(await do(caller, "complete", csrf=form)) == "unlink_wait"
    assert (await do(caller, "cancel", csrf=form)).status_code == 200
    assert await airline.guard.store.unlinking("alice") is not None
    assert len(await airline.guard.store.links("bob")) == 1


async def test_a_link_that_ends_by_another_way_takes_the_wait_with_it(caller: Caller, airline: Airline) -> None:
    await do(caller, "ask")
    assert await airline.guard.unlink("alice")
    assert await airline.guard.store.unlinking("alice") is None
    await airline.guard.store.link(Link("alice", caller.server.person.roster(caller.resource), 1))
    assert (await do(caller, "ask")).status_code == 200


async def test_the_audit_sees_who_asked_who_cancelled_and_a_table_that_was_bent(
    caller: Caller, airline: Airline, clock: FrozenClock, tmp_path: Path
) -> None:
    await do(caller, "ask")
    await do(caller, "cancel")
    clock.advance(24 * HOUR)
    sign_in(airline)
    await do(caller, "ask")
    entries = await airline.guard.store.journal(0, 100)
    assert [entry.kind.value for entry in entries] == ["linked", "unlink_started", "unlink_cancelled", "unlink_started"]
    assert (entries[2].content or {})["by"] == "session"
    assert faults(tmp_path) == []
    for bend, straighten in (
        ("SET asked_at = asked_at - 9", "SET asked_at = asked_at + 9"),
        ("SET cancelled_at = 9", "SET cancelled_at = NULL"),
        ("SET account = 'bob'", "SET account = 'alice'"),
    ):
        change(tmp_path, "UPDATE unlinkings " + bend)
        assert set(faults(tmp_path)) == {"link"}
        change(tmp_path, "UPDATE unlinkings " + straighten)
        assert faults(tmp_path) == []
    clock.advance(WAIT)
    sign_in(airline)
    await do(caller, "complete")
    assert (await airline.guard.store.journal(4, 100))[0].kind.value == "unlinked"
    assert faults(tmp_path) == []


def faults(folder: Path) -> list[str]:
    answer = CliRunner().invoke(app, ["service", "audit", "--store", str(folder / "air.db"), "--json"])
    return [finding["fault"] for finding in json.loads(answer.output)["findings"]]


def change(folder: Path, statement: str) -> None:
    with sqlite3.connect(folder / "air.db") as connection:
        assert connection.execute(statement).rowcount == 1
    connection.close()


@pytest.fixture
def person() -> InProcessApprover:
    return InProcessApprover()


@pytest.fixture
async def store(tmp_path: Path, person: InProcessApprover) -> AsyncIterator[SqliteStore]:
    found = SqliteStore(tmp_path / "s.db")
    await found.open()
    await found.link(Link("alice", person.roster("http://localhost:1"), 1))
    yield found
    await found.close()


async def test_of_two_processes_one_starts_one_tells_one_cancels(store: SqliteStore, tmp_path: Path) -> None:
    other = SqliteStore(tmp_path / "s.db")
    await other.open()
    both = (store, other)
    assert sorted(await asyncio.gather(*(one.start_unlinking("alice", 100, 0, 0) for one in both))) == [False, True]
    told = await asyncio.gather(*(one.claim_unlinkings(100, 0, 160) for one in both))
    assert sorted(told) == [[], ["alice"]]
    assert sorted(await asyncio.gather(*(one.cancel_unlinking("alice", "session", 101) for one in both))) == [
        False,
        True,
    ]
    assert [entry.kind.value for entry in await store.journal(1, 9)] == ["unlink_started", "unlink_cancelled"]
    await other.close()


async def test_of_a_cancellation_and_a_completion_at_once_one_stands(store: SqliteStore, tmp_path: Path) -> None:
    other = SqliteStore(tmp_path / "s.db")
    await other.open()
    await store.start_unlinking("alice", 100, 0, 0)
    await store.told_unlinking("alice", 100, 200)
    done, cancelled = await asyncio.gather(
        store.finish_unlinking("alice", 900, 800, 0), other.cancel_unlinking("alice", "session", 900)
    )
    assert done is not cancelled
    assert bool(await store.links("alice")) is cancelled
    await other.close()


async def test_a_wait_nobody_was_told_of_is_never_over(store: SqliteStore) -> None:
    await store.start_unlinking("alice", 100, 0, 0)
    assert not await store.finish_unlinking("alice", 10**9, 10**9, 0)
    assert await store.links("alice")


async def test_a_store_that_cannot_answer_completes_nothing(store: SqliteStore) -> None:
    await store.close()
    with pytest.raises(Refusal) as refused:
        await store.finish_unlinking("alice", 900, 800, 0)
    assert refused.value.reason is Reason.STORE_UNAVAILABLE
