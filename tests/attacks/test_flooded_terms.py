"""Strangers make the service work out prices all day."""

from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_terms_for_callers_without_a_token_are_limited(caller: Caller, airline: Airline) -> None:
    airline.guard.rate = type(airline.guard.rate)(3)
    answers = [
        await caller.client.post(caller.resource + "/bookings", headers=caller.accept, json=FLIGHT) for _ in range(5)
    ]
    assert [answer.status_code for answer in answers] == [401] * 3 + [429] * 2
    assert told(answers[-1])[:2] == (429, "rate_limited")
