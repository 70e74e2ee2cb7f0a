"""The agent counts on a default that the person never saw."""

from oneact.protocol import offer
from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_defaults_are_filled_in_before_the_act_is_shown(caller: Caller) -> None:
    offered, _ = offer.parse(await caller.ask("POST", "/bookings", json=FLIGHT))
    assert (offered.act.parameters or {})["bags"] == 0


async def test_a_null_does_not_stand_for_a_default(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    answer = await caller.show(token, "POST", "/bookings", json={**FLIGHT, "bags": None})
    assert told(answer)[:2] == (422, "parameters_invalid")
    assert airline.books.all() == []


async def test_the_default_itself_spelt_out_is_the_same_act(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    answer = await caller.show(token, "POST", "/bookings", json={**FLIGHT, "bags": 0})
    assert answer.status_code == 201
    assert len(airline.books.all()) == 1
