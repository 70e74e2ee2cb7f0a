"""An agent in the person's session makes itself, or whom it likes, an approver of the account."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from oneact.service import LocalAccount, approvers
from oneact.service.browser import csrf as form_csrf
from oneact.testing import FrozenClock
from tests.attacks.stage import FLIGHT, told
from tests.ports import free_port
from tests.service.airline import Airline
from tests.service.conftest import link
from tests.service.test_linking import begin
from tests.service.world import ApprovalServer, Caller, calling, page_reason, served

ADD, REMOVE = "oneact.add_approver", "oneact.remove_approver"


@pytest.fixture
def other() -> Iterator[ApprovalServer]:
    """Another person's approval server: the second approver's, or the attacker's own."""
    port = free_port()
    found = ApprovalServer(f"http://localhost:{port}")
    with served(found, port):
        yield found


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(int(time.time()))


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"approvers": 2}


@pytest.fixture
def airline(server: ApprovalServer, tmp_path: Path, clock: FrozenClock, settings: dict[str, Any]) -> Iterator[Airline]:
    """An airline whose account `alice`, linked to one person, may have two; whoever has its session is signed in."""
    port = free_port()
    found = Airline("asgi", port, "linked", tmp_path, deadline=2, now=clock, **settings)
    asyncio.run(link(tmp_path, found.resource, server))
    found.account = LocalAccount("alice", "Alice", clock())
    with served(found.app, port):
        yield found


@pytest.fixture
async def caller(server: ApprovalServer, airline: Airline) -> AsyncIterator[Caller]:
    async with calling(server, airline.resource) as found:
        yield found


@pytest.fixture
async def second(other: ApprovalServer, airline: Airline) -> AsyncIterator[Caller]:
    """The browser and agent of the other one."""
    async with calling(other, airline.resource) as found:
        yield found


async def proposed(second: Caller) -> httpx.Response:
    """Link to the account that has a link."""
    page = await second.client.get(second.resource + "/oneact/link?more=1")
    csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    fields = {"issuer": second.server.issuer, "csrf": csrf}
    started = await second.client.post(second.resource + "/oneact/link", data=fields)
    assert started.status_code == 303, started.text
    return await second.client.get(second.server.authorize(started.headers["location"]))


def code_of(second: Caller) -> str:
    return approvers.code(second.server.person.roster(second.resource))


async def act(by: Caller, name: str, whom: Caller, **changes: str) -> httpx.Response:
    parameters = {"issuer": whom.server.issuer, "approver": code_of(whom), **changes}
    return await by.act("POST", "/oneact/act", json={"action": name, "parameters": parameters})


async def linked(airline: Airline) -> list[str]:
    return [found.roster.iss for found in await airline.guard.store.links("alice")]


async def test_who_is_named_by_an_act_approves_as_the_first_does_until_an_act_takes_them_off(
    caller: Caller, second: Caller, airline: Airline
) -> None:
    page = await proposed(second)
    assert (page.status_code, code_of(second) in page.text) == (200, True)
    answer = await act(caller, ADD, second)
    assert answer.json() == {"added": code_of(second), "issuer": second.server.issuer}
    for one in (caller, second):
        assert (await one.act("POST", "/bookings", json=FLIGHT)).status_code == 201
    assert [account for _, account, _ in airline.books.all()] == ["alice", "alice"]
    token = await second.approved(await second.ask("POST", "/bookings", json=FLIGHT))
    assert (await act(caller, REMOVE, second)).json() == {"removed": code_of(second), "issuer": second.server.issuer}
    assert told(await second.show(token, "POST", "/bookings", json=FLIGHT)) == (401, "account_not_linked", 8)
    events = ["approver_proposed", "approver_added", "approver_removed"]
    assert airline.notices == [("alice", event) for event in events]


async def test_a_session_alone_makes_a_candidate_and_no_approver(
    caller: Caller, second: Caller, airline: Airline
) -> None:
    await proposed(second)
    assert airline.notices == [("alice", "approver_proposed")]
    assert await linked(airline) == [caller.server.issuer]
    refused = await second.client.post(second.resource + "/bookings", headers=second.accept, json=FLIGHT)
    assert refused.json()["reason"] == "issuer_not_accepted"


async def test_a_candidate_does_not_name_itself(caller: Caller, second: Caller, airline: Airline) -> None:
    await proposed(second)
    body = {"action": ADD, "parameters": {"issuer": second.server.issuer, "approver": code_of(second)}}
    challenge = await caller.ask("POST", "/oneact/act", json=body)
    own, thief = caller.server.person.passkey, second.server.person.passkey
    caller.server.person.passkey = thief  # the first one's server, but the candidate's passkey
    token = await caller.approved(challenge)
    caller.server.person.passkey = own
    assert told(await caller.show(token, "POST", "/oneact/act", json=body)) == (401, "passkey_not_pinned", 10)
    assert await linked(airline) == [caller.server.issuer]


@pytest.mark.parametrize("wrong", ["approver", "issuer"])
async def test_an_act_that_names_another_admits_nobody(
    caller: Caller, second: Caller, airline: Airline, wrong: str
) -> None:
    await proposed(second)
    other = {"approver": code_of(caller), "issuer": caller.server.issuer}
    answer = await act(caller, ADD, second, **{wrong: other[wrong]})
    assert (answer.status_code, answer.json()) == (404, {"error": "not_proposed"})
    assert await linked(airline) == [caller.server.issuer]


async def test_a_candidate_is_named_within_ten_minutes_and_once(
    caller: Caller, second: Caller, airline: Airline, clock: FrozenClock
) -> None:
    real = clock.now
    clock.now = real - 600
    airline.account = LocalAccount("alice", "Alice", clock())
    await proposed(second)
    clock.now = real
    assert (await act(caller, ADD, second)).status_code == 404
    airline.account = LocalAccount("alice", "Alice", clock())
    await proposed(second)
    assert (await act(caller, ADD, second)).status_code == 200
    assert (await act(caller, ADD, second)).status_code == 404


async def test_a_candidate_of_another_account_is_not_admitted_here(
    caller: Caller, second: Caller, airline: Airline, server: ApprovalServer, tmp_path: Path
) -> None:
    first = server.person.sub
    server.person.sub = "bobs-name"
    await link(tmp_path, airline.resource, server, "bob")
    server.person.sub = first
    airline.account = LocalAccount("bob", "Bob", airline.guard.now())
    await proposed(second)
    assert (await act(caller, ADD, second)).status_code == 404
    assert await linked(airline) == [caller.server.issuer]


async def test_no_more_than_the_owner_allows_and_never_a_person_twice(
    caller: Caller, second: Caller, airline: Airline
) -> None:
    await proposed(second)
    assert (await act(caller, ADD, second)).status_code == 200
    third = await caller.client.get(caller.resource + "/oneact/link?more=1")
    assert 'name="issuer"' not in third.text
    fields = {"issuer": second.server.issuer, "csrf": form_csrf(second.client.cookies["oneact-link"])}
    assert page_reason(await second.client.post(second.resource + "/oneact/link", data=fields)) == "link_exists"
    assert len(await linked(airline)) == 2


async def test_what_a_candidate_is_cannot_be_changed_after_the_code_was_read(second: Caller, airline: Airline) -> None:
    await proposed(second)
    started = await second.client.get(second.resource + "/oneact/link?more=1")
    assert started.status_code == 200
    csrf = started.text.partition('name="csrf" value="')[2].partition('"')[0]
    fields = {"issuer": second.server.issuer, "csrf": csrf}
    again = await second.client.post(second.resource + "/oneact/link", data=fields)
    assert page_reason(await second.client.get(second.server.authorize(again.headers["location"]))) == "link_exists"
    assert len(airline.notices) == 1


async def test_an_act_takes_off_whom_it_names_and_nobody_else(caller: Caller, second: Caller, airline: Airline) -> None:
    await proposed(second)
    await act(caller, ADD, second)
    for wrong in ({"approver": code_of(caller)}, {"issuer": caller.server.issuer}):
        answer = await act(caller, REMOVE, second, **wrong)
        assert (answer.status_code, answer.json()) == (404, {"error": "not_linked"})
    assert len(await linked(airline)) == 2


async def test_the_last_approver_is_not_taken_off_by_that_act(caller: Caller, airline: Airline) -> None:
    answer = await act(caller, REMOVE, caller)
    assert (answer.status_code, answer.json()) == (404, {"error": "not_linked"})
    assert await linked(airline) == [caller.server.issuer]


@pytest.mark.parametrize("settings", [{}])
async def test_where_the_owner_has_not_allowed_several_there_is_nothing_of_it(caller: Caller, airline: Airline) -> None:
    listed = (await caller.client.get(caller.resource + "/oneact/actions")).json()["actions"]
    assert {ADD, REMOVE}.isdisjoint(item["action"] for item in listed)
    page = await caller.client.get(caller.resource + "/oneact/link?more=1")
    assert 'name="issuer"' not in page.text
    assert airline.notices == []


@pytest.mark.parametrize("settings", [{}])
async def test_of_two_persons_who_link_side_by_side_the_later_becomes_no_candidate_where_one_is_allowed(
    caller: Caller, second: Caller, airline: Airline
) -> None:
    airline.account = LocalAccount("carol", "Carol", airline.guard.now())
    caller.server.person.sub = "carols-name"
    started = [await begin(one) for one in (caller, second)]
    backs = [
        one.server.authorize(found.headers["location"]) for one, found in zip((caller, second), started, strict=True)
    ]
    assert (await caller.client.get(backs[0])).status_code == 200
    assert page_reason(await second.client.get(backs[1])) == "link_exists"
    assert airline.notices == [("carol", "linked")]
