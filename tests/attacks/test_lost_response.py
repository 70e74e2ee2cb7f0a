"""The answer is lost; the agent comes back after 31 seconds, when the token is dead and the price another."""

from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_the_retry_gets_the_receipt_and_no_second_charge(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    lost = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    airline.price, clock = "999.00", airline.guard.now
    later = clock() + 31
    airline.guard.now = lambda: later
    url = caller.resource + "/bookings"
    headers = caller.agent.headers("POST", url, token, later)
    again = await caller.client.post(url, headers=headers, json=FLIGHT)
    assert told(again) == (409, "already_spent", 11)
    assert again.json()["receipt"] == lost.headers["oneact-receipt"]
    assert len(airline.books.all()) == 1
