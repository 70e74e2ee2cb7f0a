"""Another site starts or finishes a link in the person's browser."""

import time

import httpx

from oneact.service import LocalAccount
from oneact.service.browser import csrf as form_csrf
from tests.service.airline import Airline
from tests.service.world import Caller, calling, page_reason


async def answered(caller: Caller) -> str:
    """Start a link in this browser and have it approved; give the address to which the browser is sent back."""
    page = await caller.client.get(caller.resource + "/oneact/link")
    form = {"issuer": caller.server.issuer, "csrf": page.text.partition('name="csrf" value="')[2].partition('"')[0]}
    started = await caller.client.post(caller.resource + "/oneact/link", data=form)
    return caller.server.authorize(started.headers["location"])


async def test_a_start_without_the_forms_token_is_refused(caller: Caller, airline: Airline) -> None:
    airline.account = LocalAccount("bob", "bob", int(time.time()))
    await caller.client.get(caller.resource + "/oneact/link")
    form = {"issuer": caller.server.issuer, "csrf": "guessed"}
    answer = await caller.client.post(caller.resource + "/oneact/link", data=form)
    assert page_reason(answer) == "csrf"
    assert caller.server.pushed == {}


async def test_an_answer_that_this_browser_did_not_ask_for_is_refused(caller: Caller, airline: Airline) -> None:
    airline.account = LocalAccount("bob", "bob", int(time.time()))
    await caller.client.get(caller.resource + "/oneact/link")
    query = f"state=planted&code=planted&iss={caller.server.issuer}"
    answer = await caller.client.get(f"{caller.resource}/oneact/link/callback?{query}")
    assert page_reason(answer) == "link_state"
    assert await airline.guard.store.links("bob") == []


async def test_an_answer_to_another_browser_is_refused_with_the_state_that_was_started_there(
    caller: Caller, airline: Airline
) -> None:
    """The attacker starts a link of their own person, and has the victim's browser finish it."""
    airline.account = LocalAccount("mallory", "mallory", int(time.time()))
    back = await answered(caller)
    airline.account = LocalAccount("bob", "bob", int(time.time()))
    async with calling(caller.server, caller.resource) as victim:
        await victim.client.get(caller.resource + "/oneact/link")
        assert page_reason(await victim.client.get(back)) == "link_state"
    assert await airline.guard.store.links("bob") == []


async def test_an_answer_of_another_approval_server_than_the_one_asked_is_refused(
    caller: Caller, airline: Airline
) -> None:
    airline.account = LocalAccount("bob", "bob", int(time.time()))
    back = await answered(caller)
    mixed = httpx.URL(back).copy_set_param("iss", "https://evil.example")
    assert page_reason(await caller.client.get(mixed)) == "link_issuer"
    assert await airline.guard.store.links("bob") == []


async def test_a_start_in_a_session_that_has_grown_old_is_refused(caller: Caller, airline: Airline) -> None:
    airline.account = LocalAccount("bob", "bob", int(time.time()) - 301)
    caller.client.cookies.set("oneact-link", "chosen-by-the-agent")
    form = {"issuer": caller.server.issuer, "csrf": form_csrf("chosen-by-the-agent")}
    answer = await caller.client.post(caller.resource + "/oneact/link", data=form)
    assert page_reason(answer) == "link_login_stale"
    assert caller.server.pushed == {}
