"""Handlers that block fill every thread, so that an approved act would run long after its receipt said `unknown`."""

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest

from oneact.service.threads import Threads
from tests.attacks.stage import told
from tests.service.airline import ASGI, Airline
from tests.service.world import Caller, eventually

pytestmark = pytest.mark.parametrize("airline", ASGI, indirect=True)  # `Airline.is_wsgi` says why


class Held:
    """Lets the airline's next booking wait until it is released; the others pass."""

    def __init__(self, airline: Airline) -> None:
        self.begun, self.released = threading.Event(), threading.Event()
        self.add, airline.books.add = airline.books.add, self.hold  # type: ignore[method-assign]  # for one test

    def hold(self, act: Any, note: str) -> None:
        if not self.begun.is_set():
            self.begun.set()
            self.released.wait(20)
        self.add(act, note)


@pytest.fixture
def one_thread(airline: Airline) -> Airline:
    airline.guard.threads = Threads(count=1, patience=0.2)
    return airline


def booked(airline: Airline) -> list[str]:
    return [note for _, _, note in airline.books.all()]


async def test_what_finds_no_thread_spends_nothing_and_runs_when_it_is_asked_again(
    caller: Caller, one_thread: Airline
) -> None:
    held = Held(one_thread)
    first = asyncio.create_task(caller.act("DELETE", "/bookings/AB1"))
    await eventually(held.begun.is_set)
    token = await caller.approved(await caller.ask("DELETE", "/bookings/AB2"))
    refused = await caller.show(token, "DELETE", "/bookings/AB2")
    assert told(refused) == (503, "store_unavailable", 11)
    held.released.set()
    assert (await first).status_code == 200
    assert booked(one_thread) == ["cancel AB1 False"]
    again = await caller.show(token, "DELETE", "/bookings/AB2")
    assert (again.status_code, (await caller.verified(again.headers["oneact-receipt"])).status) == (200, "executed")
    assert booked(one_thread) == ["cancel AB1 False", "cancel AB2 False"]


async def test_a_place_is_held_until_the_handler_has_done_also_after_its_deadline(
    caller: Caller, one_thread: Airline
) -> None:
    held = Held(one_thread)
    cancel = one_thread.guard.actions["cancel_flight"]
    one_thread.guard.actions["cancel_flight"] = replace(cancel, deadline=1)
    late = await caller.act("DELETE", "/bookings/AB1")
    assert (await caller.verified(late.json()["receipt"])).status == "unknown"
    assert told(await caller.act("DELETE", "/bookings/AB2"))[0] == 503
    held.released.set()
    await eventually(lambda: booked(one_thread))
    assert (await caller.act("DELETE", "/bookings/AB3")).status_code == 200
    assert booked(one_thread) == ["cancel AB1 False", "cancel AB3 False"]


async def test_a_handler_that_does_not_block_needs_no_thread(caller: Caller, one_thread: Airline) -> None:
    held = Held(one_thread)
    first = asyncio.create_task(caller.act("DELETE", "/bookings/AB1"))
    await eventually(held.begun.is_set)
    flight = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}
    assert (await caller.act("POST", "/bookings", json=flight)).status_code == 201
    held.released.set()
    assert (await first).status_code == 200
