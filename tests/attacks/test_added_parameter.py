"""The agent adds a field that nobody was shown."""

from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_a_field_that_the_action_does_not_list_is_refused_before_and_after_approval(
    caller: Caller, airline: Airline
) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    extra = {**FLIGHT, "vip": True}
    assert told(await caller.show(token, "POST", "/bookings", json=extra))[:2] == (422, "parameter_unknown")
    asked = await caller.client.post(caller.resource + "/bookings", json=extra, headers=caller.accept)
    assert told(asked)[:2] == (422, "parameter_unknown")
    assert airline.books.all() == []


async def test_a_listed_field_that_was_not_approved_is_refused(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    answer = await caller.show(token, "POST", "/bookings", json={**FLIGHT, "note": "and a hotel"})
    assert told(answer) == (401, "act_mismatch", 6)
    assert airline.books.all() == []
