"""The agent has one destination approved and sends another."""

from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_another_value_than_the_approved_one_is_refused(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    answer = await caller.show(token, "POST", "/bookings", json={**FLIGHT, "to": "LAX"})
    assert told(answer) == (401, "act_mismatch", 6)
    assert answer.json()["not_executed"] is True
    assert airline.books.all() == []


async def test_another_value_by_another_way_is_refused_too(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    by_name = {"action": "book_flight", "parameters": {**FLIGHT, "to": "LAX"}}
    assert told(await caller.show(token, "POST", "/oneact/act", json=by_name)) == (401, "act_mismatch", 6)
    assert airline.books.all() == []
