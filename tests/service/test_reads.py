"""Reads: open to the agent for which a person has opened them, for as long, and to nobody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from tests.ports import free_port
from tests.service.airline import FACES
from tests.service.reading import Travel
from tests.service.serving import serving
from tests.service.world import ApprovalServer, Caller, calling, link

from oneact.service import Guard, Reading
from oneact.service.fastapi import Guard as FastApiGuard
from oneact.testing import TestAgent


@pytest.fixture(params=FACES)
def travel(request: pytest.FixtureRequest, server: ApprovalServer, tmp_path: Path) -> Iterator[Travel]:
    found = Travel(request.param, port := free_port(), [server.issuer], tmp_path)
    asyncio.run(link(tmp_path, found.resource, server))
    with serving(found, port):
        yield found


@pytest.fixture
async def caller(server: ApprovalServer, travel: Travel) -> AsyncIterator[Caller]:
    async with calling(server, travel.resource) as found:
        yield found


async def published(caller: Caller) -> list[Any]:
    return list((await caller.client.get(caller.resource + "/oneact/actions")).json()["reads"])


async def token(caller: Caller, *names: str, **changes: Any) -> str:
    """Have the person open these reads, or all, and give the token."""
    listed = [item for item in await published(caller) if not names or item["read"] in names]
    return caller.server.person.read_token(caller.resource, listed, caller.agent, int(time.time()), **changes)


async def read(caller: Caller, text: str, path: str = "/itineraries", **query: str) -> httpx.Response:
    return await caller.show(text, "GET", path, params=query or {"to": "NYC"})


def reason(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["reason"]


async def test_what_a_person_has_opened_is_read_as_often_as_the_agent_likes(caller: Caller, travel: Travel) -> None:
    text, now = await token(caller), int(time.time())
    for to in ("NYC", "LAX"):
        answer = await read(caller, text, to=to)
        assert (answer.status_code, answer.json()) == (200, {"to": to, "for": "alice", "currency": "EUR"})
    [first, second] = travel.reads
    assert first == second
    assert (first.account, first.read, first.issuer) == ("alice", "itineraries", caller.server.issuer)
    assert (first.client_id, first.jkt) == (caller.agent.client_id, caller.agent.jkt)
    assert 3590 < first.until - now <= 3601


async def test_a_path_may_say_what_is_read(caller: Caller) -> None:
    answer = await read(caller, await token(caller), "/bookings/B-1")
    assert answer.json() == {"reference": "B-1", "path": "/bookings/B-1"}


async def test_the_reads_are_published_with_the_paths_at_which_they_stand(caller: Caller) -> None:
    assert await published(caller) == [
        {"read": "itineraries", "intent": "Search itineraries", "path": "/itineraries"},
        {"read": "bookings", "intent": "See your bookings", "path": "/bookings/{reference}"},
    ]
    found = await caller.client.get(caller.resource + "/.well-known/oauth-protected-resource")
    assert found.json()["authorization_details_types_supported"] == ["oneact_act", "oneact_read"]


async def test_without_a_token_nothing_is_read_and_the_answer_says_what_is_wanted(
    caller: Caller, travel: Travel
) -> None:
    answer = await caller.client.get(caller.resource + "/itineraries", params={"to": "NYC"})
    assert reason(answer) == (401, "read_token_required")
    assert answer.headers["www-authenticate"] == 'DPoP error="insufficient_authorization", scope="read"'
    assert travel.reads == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iat": 1, "exp": 301}, "token_expired"),
        ({"aud": "http://localhost:1"}, "token_audience"),
        ({"iss": "http://localhost:1"}, "token_issuer"),
        ({"jkt": TestAgent().jkt}, "proof_binding"),
        ({"sub": "somebody else"}, "account_not_linked"),
        ({"client_id": "another"}, "statement_client"),
        ({"details": []}, "read_malformed"),
    ],
)
async def test_a_read_token_that_does_not_hold_reads_nothing(
    caller: Caller, travel: Travel, changes: dict[str, Any], expected: str
) -> None:
    answer = await read(caller, await token(caller, **changes))
    assert reason(answer) == (401, expected)
    assert travel.reads == []


async def test_a_read_that_was_not_opened_stays_shut(caller: Caller, travel: Travel) -> None:
    assert reason(await read(caller, await token(caller, "bookings"))) == (401, "read_not_opened")
    assert travel.reads == []


async def test_a_proof_with_a_read_token_is_good_once(caller: Caller) -> None:
    text, now, url = await token(caller), int(time.time()), caller.resource + "/itineraries"
    headers = caller.agent.headers("GET", url, text, now)
    first, second = [await caller.client.get(url, headers=headers, params={"to": "NYC"}) for _ in range(2)]
    assert first.status_code == 200
    assert reason(second) == (401, "proof_replayed")


async def test_an_unlinked_account_is_read_by_nobody_from_then_on(caller: Caller, travel: Travel) -> None:
    text = await token(caller)
    assert (await read(caller, text)).status_code == 200
    link_ = await travel.guard.store.find_link(caller.server.issuer, caller.server.person.sub)
    assert link_ is not None
    assert await travel.guard.store.unlink("alice", caller.server.issuer, int(time.time()))
    assert reason(await read(caller, text)) == (401, "account_not_linked")


async def test_another_method_is_not_taken(caller: Caller) -> None:
    answer = await caller.client.post(caller.resource + "/itineraries")
    assert answer.status_code == 405


def a_guard(folder: Path, kind: type[Guard] = Guard) -> Any:
    return kind(
        resource="http://localhost:1", name="Travel", key=folder / "k", store=folder / "s",
        account=lambda _: None, issuers=["http://localhost:2"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "intent", "path"),
    [("Bookings", "See", "/"), ("bookings", "", "/"), ("bookings", "x" * 81, "/"), ("bookings", "See", "bookings"),
     ("bookings", "See", "/{a b}")],
)  # fmt: skip
def test_what_cannot_be_published_of_a_read_is_told_at_the_start(
    tmp_path: Path, name: str, intent: str, path: str
) -> None:
    with pytest.raises(ValueError, match=f"read {name}: a name is"):
        a_guard(tmp_path).asgi_read(name, intent=intent, path=path)


def test_two_reads_of_one_name_are_told_at_the_start(tmp_path: Path) -> None:
    plain, fast = a_guard(tmp_path), a_guard(tmp_path, FastApiGuard)
    plain.asgi_read("bookings", intent="See", path="/bookings")
    with pytest.raises(ValueError, match="two reads are named bookings"):
        plain.asgi_read("bookings", intent="See", path="/bookings")
    fast.read("bookings", intent="See")(lambda: None)
    with pytest.raises(ValueError, match="two reads are named bookings"):
        fast.read("bookings", intent="See")(lambda: None)


def test_a_read_that_is_no_get_is_told_at_the_start(tmp_path: Path) -> None:
    guard, app = a_guard(tmp_path, FastApiGuard), FastAPI()
    app.post("/bookings")(guard.read("bookings", intent="See")(lambda: None))
    with pytest.raises(ValueError, match="a read is a GET"):
        guard.bind(app)


def test_a_route_that_would_run_a_read_unguarded_is_told_at_the_start(tmp_path: Path) -> None:
    guard, app = a_guard(tmp_path, FastApiGuard), FastAPI()

    def bookings(reading: Reading) -> None: ...

    guard.read("bookings", intent="See")(bookings)
    app.get("/bookings")(lambda: None)
    app.router.routes[-1].endpoint = bookings  # type: ignore[attr-defined]  # as decorators in the wrong order leave it
    with pytest.raises(ValueError, match="without the guard"):
        guard.bind(app)
