"""The whole loop on real parts: approval server, airline and agent over HTTP, the person by their pages."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from oneact.agent import Agent, Denied, Expired, OutcomeUnknown, Refused, Unreachable, keys
from oneact.service import LocalAccount
from tests.ports import free_port
from tests.server.peers import Agent as Peer
from tests.server.peers import RunningServer, running_server
from tests.server.visitor import Visitor
from tests.service.airline import FACES, Airline
from tests.service.serving import serving
from tests.service.world import served

FLIGHT: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}


class RealClock:
    now = 0

    def __call__(self) -> int:
        return int(time.time())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    (tmp_path / "server").mkdir()
    with running_server(tmp_path / "server", clock=RealClock()) as running:
        yield running


@pytest.fixture(params=FACES)
def airline(request: pytest.FixtureRequest, server: RunningServer, tmp_path: Path) -> Iterator[Airline]:
    port = free_port()
    found = Airline(request.param, port, server.url, tmp_path, deadline=2)
    found.account = LocalAccount("ada", "ada@example", int(time.time()))
    with serving(found, port):
        yield found


@pytest.fixture
def person(server: RunningServer, airline: Airline) -> Visitor:
    """A person who has linked the airline by its own link page."""
    visitor = Visitor(server).sign_up()
    assert _link(visitor, airline).status_code == 200
    return visitor


def _link(visitor: Visitor, airline: Any) -> httpx.Response:
    with httpx.Client() as browser:
        return link(visitor, airline.resource, browser)


def link(visitor: Visitor, resource: str, browser: httpx.Client) -> httpx.Response:
    """Link the account that is signed in in the browser; give the last answer, or the server's refusal to begin."""
    page = browser.get(resource + "/oneact/link").text
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
    started = browser.post(
        resource + "/oneact/link",
        data={"issuer": visitor.server.url, "csrf": csrf},
        headers={"Origin": resource},
    )
    asked = httpx.URL(started.headers["location"])
    assert visitor.get(urlsplit(str(asked)).path, **dict(asked.params)).status_code == 200
    begun = visitor.post("/link/begin", **dict(asked.params))
    if begun.status_code != 200:
        return begun
    answer = visitor.post("/link/finish", **visitor.sign(begun.json())).json()
    return browser.get(answer["location"])


@pytest.fixture
async def agent(server: RunningServer, person: Visitor, tmp_path: Path) -> AsyncIterator[Agent]:
    """An agent that was paired before."""
    peer = Peer(server)
    peer.register()
    person.pair(peer)
    keys.save(tmp_path / "agent.json", keys.Pairing(server.url, peer.key, peer.client_id, peer.hint))
    async with await Agent.open(server.url, key_file=tmp_path / "agent.json") as found:
        yield found


def _confirm(person: Visitor, code: str) -> None:
    shown = person.submit("/pair", user_code=code).text
    device = shown.partition('data-device="')[2].partition('"')[0]
    begun = person.post("/pair/begin", device=device, name="Planner").json()
    assert person.post("/pair/finish", **person.sign(begun)).status_code == 200


@contextlib.asynccontextmanager
async def deciding(person: Visitor, decision: str) -> AsyncIterator[None]:
    """Decide on the next request that appears, as the person would."""
    work = asyncio.create_task(asyncio.to_thread(_decide, person, decision))
    yield
    await work


def _decide(person: Visitor, decision: str) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        rows = person.server.execute("SELECT id FROM requests WHERE state = 'pending'")
        if rows:
            identifier = rows[0][0]
            person.get(f"/requests/{identifier}")
            if decision == "approve":
                assert person.approve(identifier).status_code == 200
            else:
                assert person.post("/requests/deny", requests=[identifier], message=decision).status_code == 200
            return
        time.sleep(0.02)
    raise AssertionError("no request appeared")


async def test_an_act_goes_from_request_to_verified_receipt(agent: Agent, airline: Airline, person: Visitor) -> None:
    async with deciding(person, "approve"):
        result = await agent.act(airline.resource, "book_flight", FLIGHT, reason="You asked")
    assert result.json()["txn"] == result.txn
    assert result.receipt is not None
    assert result.receipt.status == "executed"
    assert [row[1] for row in airline.books.all()] == ["ada"]
    kinds = [kind for (kind,) in person.server.execute("SELECT kind FROM entries WHERE request_id != '' ORDER BY seq")]
    assert kinds == ["asked", "shown", "approved", "token_issued", "receipt"]


async def test_any_guarded_address_can_be_called(agent: Agent, airline: Airline, person: Visitor) -> None:
    async with deciding(person, "approve"):
        result = await agent.call("POST", airline.resource + "/bookings", json=FLIGHT)
    assert result.status == 201
    async with deciding(person, "approve"):
        cancelled = await agent.call("DELETE", airline.resource + "/bookings/ABC")
    assert cancelled.json()["cancelled"] == "ABC"


async def test_another_account_is_linked_once_the_first_is_unlinked_on_both_sides(
    agent: Agent, airline: Airline, person: Visitor
) -> None:
    ada, bob = airline.account, LocalAccount("bob", "bob@example", int(time.time()))
    airline.account = bob
    assert _link(person, airline).json()["reason"] == "link_exists"
    airline.account = ada
    async with deciding(person, "approve"):
        await agent.act(airline.resource, "oneact.unlink", {"issuer": person.server.url})
    [[link]] = person.server.execute("SELECT id FROM links WHERE state = 'linked'")
    assert person.submit(f"/services/{link}/unlink").status_code == 303
    airline.account = bob
    assert _link(person, airline).status_code == 200
    assert "bob@example" in person.get("/services").text
    async with deciding(person, "approve"):
        await agent.act(airline.resource, "book_flight", FLIGHT)
    assert [row[1] for row in airline.books.all()] == ["bob"]


async def test_the_persons_no_reaches_the_agent_in_their_words(agent: Agent, airline: Airline, person: Visitor) -> None:
    async with deciding(person, "Too dear for me"):
        with pytest.raises(Denied) as denied:
            await agent.act(airline.resource, "book_flight", FLIGHT)
    assert denied.value.message == "Too dear for me"
    assert airline.books.all() == []


async def test_nobody_deciding_ends_expired_and_cancelled(agent: Agent, airline: Airline, person: Visitor) -> None:
    before = time.monotonic()
    with pytest.raises(Expired):
        await agent.act(airline.resource, "book_flight", FLIGHT, wait=1)
    assert time.monotonic() - before < 10
    assert person.server.execute("SELECT state FROM requests") == [("cancelled",)]


async def test_the_same_key_after_a_crash_is_the_same_question(agent: Agent, airline: Airline, person: Visitor) -> None:
    crashed = asyncio.create_task(agent.act(airline.resource, "book_flight", FLIGHT, idempotency_key="order-7"))
    while not person.server.execute("SELECT id FROM requests"):  # noqa: ASYNC110 - the other side has no event to wait for
        await asyncio.sleep(0.02)
    crashed.cancel()
    async with deciding(person, "approve"):
        first = await agent.act(airline.resource, "book_flight", FLIGHT, idempotency_key="order-7")
    again = await agent.act(airline.resource, "book_flight", FLIGHT, idempotency_key="order-7")
    assert again.jws == first.jws
    assert again.json() == first.json()
    person.server.execute("UPDATE requests SET token_exp = 1")
    lapsed = await agent.act(airline.resource, "book_flight", FLIGHT, idempotency_key="order-7")
    assert (lapsed.jws, lapsed.body) == (first.jws, None)
    assert len(airline.books.all()) == 1


async def test_an_agent_pairs_on_first_use_and_never_again(
    server: RunningServer, person: Visitor, tmp_path: Path
) -> None:
    def typed(code: str, address: str) -> None:
        assert address == server.url + "/pair"
        threading.Thread(target=_confirm, args=(person, code)).start()

    file = tmp_path / "new.json"
    async with await Agent.open(server.url, name="Planner", key_file=file, on_code=typed) as first:
        fingerprint = first.fingerprint
    async with await Agent.open(server.url, key_file=file) as again:
        assert again.fingerprint == fingerprint
    assert file.stat().st_mode & 0o777 == 0o600


async def test_a_key_file_that_others_can_read_is_refused(server: RunningServer, agent: Agent, tmp_path: Path) -> None:
    (tmp_path / "agent.json").chmod(0o644)
    with pytest.raises(Refused) as refused:
        await Agent.open(server.url, key_file=tmp_path / "agent.json")
    assert refused.value.reason == "key_malformed"
    assert agent.fingerprint


async def test_a_service_that_is_not_linked_is_told_where_to_link(agent: Agent, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "other").mkdir()
    other = Airline("asgi", port, "linked", tmp_path / "other")
    with served(other.app, port), pytest.raises(Refused) as refused:
        await agent.act(other.resource, "book_flight", FLIGHT)
    assert refused.value.reason == "issuer_not_accepted"
    assert refused.value.link_uri == other.resource + "/oneact/link"


async def test_a_refused_parameter_is_named(agent: Agent, airline: Airline) -> None:
    with pytest.raises(Refused) as refused:
        await agent.act(airline.resource, "book_flight", {**FLIGHT, "date": 5})
    assert (refused.value.reason, refused.value.field) == ("parameters_invalid", "date")
    assert str(refused.value).endswith("(date)")


async def test_parameters_that_are_no_strict_json_never_leave(agent: Agent, airline: Airline) -> None:
    with pytest.raises(Refused) as refused:
        await agent.act(airline.resource, "book_flight", {**FLIGHT, "price": 1.5})  # type: ignore[dict-item]
    assert refused.value.reason == "json_number"
    with pytest.raises(Refused):
        await agent.act("http://air.example", "book_flight", FLIGHT)


async def test_a_service_that_is_down_is_unreachable(agent: Agent) -> None:
    with pytest.raises(Unreachable):
        await agent.act(f"http://localhost:{free_port()}", "book_flight", FLIGHT)


async def test_a_handler_that_breaks_is_outcome_unknown(agent: Agent, airline: Airline, person: Visitor) -> None:
    async with deciding(person, "approve"):
        with pytest.raises(OutcomeUnknown):
            await agent.act(airline.resource, "book_flight", {**FLIGHT, "note": "raise"})
    assert len(airline.books.all()) == 1


async def test_a_handler_that_says_no_comes_with_a_receipt_of_it(
    agent: Agent, airline: Airline, person: Visitor
) -> None:
    asked = agent.act(airline.resource, "book_flight", {**FLIGHT, "note": "refuse"})
    async with deciding(person, "approve"):
        if airline.kind in {"django", "fastapi", "flask"}:  # where an HTTPException is an answer
            result = await asked
            assert result.receipt is not None
            assert (result.status, result.receipt.status) == (409, "failed")
        else:
            with pytest.raises(OutcomeUnknown):
                await asked
