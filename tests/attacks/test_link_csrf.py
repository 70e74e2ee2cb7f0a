"""Another site starts or finishes a link in the person's browser."""

import time

from oneact.service import LocalAccount
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_a_start_without_the_forms_token_is_refused(caller: Caller, airline: Airline) -> None:
    airline.account = LocalAccount("bob", "bob", int(time.time()))
    await caller.client.get(caller.resource + "/oneact/link")
    form = {"issuer": caller.server.issuer, "csrf": "guessed"}
    answer = await caller.client.post(caller.resource + "/oneact/link", data=form)
    assert answer.status_code == 403
    assert caller.server.pushed == {}


async def test_an_answer_that_this_browser_did_not_ask_for_is_refused(caller: Caller, airline: Airline) -> None:
    airline.account = LocalAccount("bob", "bob", int(time.time()))
    await caller.client.get(caller.resource + "/oneact/link")
    query = f"state=planted&code=planted&iss={caller.server.issuer}"
    answer = await caller.client.get(f"{caller.resource}/oneact/link/callback?{query}")
    assert answer.status_code == 403
    assert await airline.guard.store.links("bob") == []
