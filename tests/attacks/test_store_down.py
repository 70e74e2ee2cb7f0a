"""The service's database is gone."""

from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_what_cannot_be_decided_is_503_and_never_executed(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    await airline.guard.store.close()
    answer = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    assert told(answer) == (503, "store_unavailable", 11)
    assert airline.books.all() == []
