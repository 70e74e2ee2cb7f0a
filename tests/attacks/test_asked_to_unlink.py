"""An agent in the person's session asks to unlink the account without a passkey, to link its own server afterwards."""

import time
from pathlib import Path

import pytest

from oneact.service import unlinking
from oneact.testing import FrozenClock
from tests.service.airline import Airline
from tests.service.conftest import link
from tests.service.test_unlinking import CANCELLED, FLIGHT, STARTED, WAIT, do, page, sign_in
from tests.service.world import ApprovalServer, Caller, page_reason


@pytest.fixture
def clock(airline: Airline) -> FrozenClock:
    """The airline's clock, by which the person has just signed in."""
    found = FrozenClock(int(time.time()))
    airline.guard.now = found
    sign_in(airline)
    return found


async def test_the_person_is_told_at_once_and_every_day_and_their_next_approval_ends_it(
    caller: Caller, airline: Airline, clock: FrozenClock
) -> None:
    real = clock.now
    clock.now = real - WAIT + 60
    sign_in(airline)
    assert (await do(caller, "ask")).status_code == 200
    clock.now = real - 60
    await unlinking.remind(airline.guard)
    assert airline.notices == [STARTED, STARTED]
    clock.now = real
    assert (await caller.act("POST", "/bookings", json=FLIGHT)).status_code == 201
    assert airline.notices[2:] == [CANCELLED]
    clock.advance(60)
    sign_in(airline)
    assert page_reason(await do(caller, "complete")) == "unlink_wait"
    assert page_reason(await do(caller, "ask")) == "unlink_wait"
    assert len(await airline.guard.store.links("alice")) == 1


async def test_a_session_of_one_moment_is_not_enough(caller: Caller, airline: Airline, clock: FrozenClock) -> None:
    await do(caller, "ask")
    clock.advance(WAIT)  # the same sign-in, 72 hours old by now
    assert page_reason(await do(caller, "complete")) == "link_login_stale"
    airline.account = None
    assert page_reason(await page(caller)) == "session_required"
    assert len(await airline.guard.store.links("alice")) == 1


async def test_while_it_waits_nothing_else_can_be_linked(caller: Caller, airline: Airline, clock: FrozenClock) -> None:
    await do(caller, "ask")
    clock.advance(WAIT - 1)
    sign_in(airline)
    assert 'name="issuer"' not in (await caller.client.get(caller.resource + "/oneact/link")).text


async def test_it_cannot_drown_the_person_in_notices(caller: Caller, airline: Airline, clock: FrozenClock) -> None:
    for _ in range(5):
        await do(caller, "ask")
        await do(caller, "cancel")
    assert airline.notices == [STARTED, CANCELLED]
    assert clock() > 0


async def test_an_old_wait_is_no_way_in_months_later(
    caller: Caller, airline: Airline, clock: FrozenClock, server: ApprovalServer, tmp_path: Path
) -> None:
    await do(caller, "ask")
    clock.advance(90 * 24 * 3600)
    sign_in(airline)
    assert page_reason(await do(caller, "complete")) == "unlink_wait"
    assert await airline.guard.unlink("alice")
    await link(tmp_path, airline.resource, server)  # and none is left over for the next link either
    assert await airline.guard.store.unlinking("alice") is None
