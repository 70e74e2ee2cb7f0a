"""The agent leaves a field out that was approved, so that a default would stand in its place."""

from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_a_default_in_place_of_an_approved_value_is_refused(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json={**FLIGHT, "bags": 2}))
    assert told(await caller.show(token, "POST", "/bookings", json=FLIGHT)) == (401, "act_mismatch", 6)
    assert airline.books.all() == []


async def test_a_required_field_cannot_be_left_out(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    less = {name: value for name, value in FLIGHT.items() if name != "date"}
    assert told(await caller.show(token, "POST", "/bookings", json=less))[:2] == (422, "parameters_invalid")
    assert airline.books.all() == []
