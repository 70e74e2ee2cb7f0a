"""The agent names another host, so that a token for one service would pass at another."""

from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_the_host_header_decides_nothing(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    proof = caller.agent.headers("POST", "https://evil.example/bookings", token, airline.guard.now())
    headers = {**proof, "Host": "evil.example"}
    answer = await caller.client.post(caller.resource + "/bookings", headers=headers, json=FLIGHT)
    assert told(answer) == (401, "proof_htu", 5)
    assert airline.books.all() == []
