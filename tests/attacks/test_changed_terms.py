"""The price rises between the offer and the request."""

from oneact.protocol import offer
from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_terms_that_hold_no_longer_are_refused_with_a_fresh_offer(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    airline.price = "999.00"
    answer = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    assert told(answer) == (401, "terms_changed", 7)
    fresh, _ = offer.parse(answer.json()["transaction_challenge"])
    assert (fresh.act.terms or {})["price"] == {"amount": "999.00", "currency": "USD"}
    assert answer.json()["not_executed"] is True
    assert airline.books.all() == []
