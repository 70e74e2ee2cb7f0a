"""Someone else comes with an approval that was used, hoping for the answer."""

from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_only_the_holder_is_told_what_became_of_it(caller: Caller, airline: Airline) -> None:
    challenge = await caller.ask("POST", "/bookings", json=FLIGHT)
    await caller.show(await caller.approved(challenge), "POST", "/bookings", json=FLIGHT)
    caller.agent = type(caller.agent)("another-agent")
    answer = await caller.show(await caller.approved(challenge), "POST", "/bookings", json=FLIGHT)
    assert told(answer) == (401, "spent_by_another", 11)
    assert "receipt" not in answer.json()
    assert len(airline.books.all()) == 1
