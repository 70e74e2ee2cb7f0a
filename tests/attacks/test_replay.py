"""The same token is used again: by its holder, by the thief of the answer, with the very same proof."""

import time

from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_a_second_use_gets_the_receipt_and_no_second_run(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    first = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    again = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    assert told(again) == (409, "already_spent", 11)
    assert again.json()["receipt"] == first.headers["oneact-receipt"]
    assert len(airline.books.all()) == 1


async def test_a_request_recorded_on_the_way_is_refused(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    url = caller.resource + "/bookings"
    headers = caller.agent.headers("POST", url, token, int(time.time()))
    assert (await caller.client.post(url, headers=headers, json=FLIGHT)).status_code == 201
    recorded = await caller.client.post(url, headers=headers, json=FLIGHT)
    assert told(recorded) == (401, "proof_replayed", 5)
    assert "receipt" not in recorded.json()
    assert len(airline.books.all()) == 1
