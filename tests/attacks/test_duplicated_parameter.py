"""The agent gives one field twice: one reader takes the first, another the last."""

import json

from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_a_name_twice_in_the_body_is_refused(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    twice = json.dumps(FLIGHT)[:-1] + ', "to": "LAX"}'
    headers = {"Content-Type": "application/json"}
    answer = await caller.show(token, "POST", "/bookings", content=twice, headers=headers)
    assert told(answer)[:2] == (400, "json_duplicate_key")
    assert airline.books.all() == []


async def test_a_name_twice_in_the_query_is_refused(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("DELETE", "/bookings/ABC?refund=false"))
    answer = await caller.show(token, "DELETE", "/bookings/ABC?refund=false&refund=true")
    assert told(answer)[:2] == (422, "parameter_repeated")
    assert airline.books.all() == []
