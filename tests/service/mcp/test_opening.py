"""Clients that can open a page: in both revisions the link reaches the user, and opening it approves nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ElicitCompleteNotification, ElicitResult, InputRequiredResult
from tests.server.visitor import Visitor
from tests.service.mcp.shelf import Shelf, approve, meta, pending, person, refusal, requests, text
from tests.service.world import eventually

from oneact.protocol import tool
from oneact.service.mcp import waiting

A = {"path": "/a"}


@dataclass
class User:
    """Whoever sits at the client, and what they do with a page."""

    action: Literal["accept", "decline", "cancel"] = "accept"
    opened: list[str] = field(default_factory=list)

    async def __call__(self, _: Any, params: Any) -> ElicitResult:
        assert params.mode == "url"
        self.opened.append(params.url)
        return ElicitResult(action=self.action)


def calling(client: Client, arguments: dict[str, Any] = A) -> asyncio.Task[CallToolResult]:
    return asyncio.ensure_future(client.call_tool("write", arguments))


async def test_the_page_is_opened_once_and_the_result_comes_when_it_is_approved(
    shelf: Shelf, ada: Visitor, revision: str
) -> None:
    user = User()
    async with shelf.client(revision, elicitation_callback=user) as client:
        call = calling(client)
        identifier = await asyncio.to_thread(pending, shelf)
        await eventually(lambda: user.opened)
        assert user.opened == [f"{shelf.issuers.issuer}/requests/{identifier}"]
        assert shelf.written == []  # "accept" means that the page was opened
        await approve(shelf, ada)
        assert text(await call) == "/a written"
    assert len(user.opened) == len(shelf.written) == 1


async def test_the_page_opens_for_the_person_asked_alone(shelf: Shelf, ada: Visitor, revision: str) -> None:
    user, bob = User(), person(shelf, "bob")
    async with shelf.client(revision, elicitation_callback=user) as client:
        call = calling(client)
        identifier = await asyncio.to_thread(pending, shelf)
        for who in (bob, Visitor(ada.server)):  # another person, and nobody
            page = await asyncio.to_thread(who.get, f"/requests/{identifier}")
            assert page.status_code != 200 or "/a" not in page.text
            begun = await asyncio.to_thread(who.post, "/requests/begin", requests=[identifier])
            assert begun.status_code in {401, 404}
        assert shelf.written == []
        await approve(shelf, ada)
        await call


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_who_does_not_open_it_withdraws_the_call(
    shelf: Shelf, ada: Visitor, revision: str, action: Literal["decline", "cancel"]
) -> None:
    assert ada
    async with shelf.client(revision, elicitation_callback=User(action)) as client:
        assert refusal(await calling(client)) == "cancelled"
    assert shelf.written == []


async def test_a_client_comes_back_some_times_by_itself_and_is_then_told_to_wait(shelf: Shelf, ada: Visitor) -> None:
    assert ada
    shelf.guard.waiting.longest = 0.1
    user = User()
    async with shelf.client("2026-07-28", elicitation_callback=user) as client:
        result = await calling(client)
        assert len(user.opened) == 1
        identifier = meta(result)[tool.PENDING]["id"]
        session = client.session
        found: Any = await session.call_tool("write", A, allow_input_required=True)
        rounds = 0
        while isinstance(found, InputRequiredResult):
            assert (found.input_requests is None) == (rounds > 0)
            rounds += 1
            found = await session.call_tool("write", A, request_state=found.request_state, allow_input_required=True)
        assert rounds == waiting.ROUNDS
        assert meta(found)[tool.PENDING]["id"] == identifier
    assert len(requests(shelf)) == 1


async def test_a_state_is_worth_nothing_in_another_session(shelf: Shelf, ada: Visitor) -> None:
    assert ada
    person(shelf, "bob")
    async with (
        shelf.client("2026-07-28", elicitation_callback=User()) as client,
        shelf.client("2026-07-28", "bob", elicitation_callback=User()) as other,
    ):
        found: Any = await client.session.call_tool("write", A, allow_input_required=True)
        state = found.request_state
        stolen: Any = await other.session.call_tool("write", A, request_state=state, allow_input_required=True)
        assert refusal(stolen) == "held_unknown"
        with pytest.raises(MCPError):
            await client.session.call_tool("write", {"path": "/b"}, request_state=state, allow_input_required=True)
        with pytest.raises(MCPError):
            await client.session.call_tool("write", A, request_state="made up", allow_input_required=True)
    assert shelf.written == []
    assert len(requests(shelf)) == 1


async def test_a_client_that_cannot_open_pages_is_not_asked_to(shelf: Shelf, ada: Visitor, revision: str) -> None:
    assert ada
    shelf.guard.waiting.longest = 0.2
    async with shelf.client(revision) as client:
        assert tool.PENDING in meta(await calling(client))


async def test_the_page_of_one_call_is_opened_once_however_often_it_comes(shelf: Shelf, ada: Visitor) -> None:
    assert ada
    shelf.guard.waiting.longest = 0.5
    user = User()
    async with shelf.client("2025-11-25", elicitation_callback=user) as client:
        first = meta(await calling(client))[tool.PENDING]
        assert meta(await calling(client))[tool.PENDING] == first
    assert user.opened == [first["page"]]


class Told:
    """What a client is told of pages that are over."""

    def __init__(self) -> None:
        self.over: list[str] = []

    async def __call__(self, message: Any) -> None:
        if isinstance(message, ElicitCompleteNotification):
            self.over.append(message.params.elicitation_id)


async def test_a_client_that_opened_the_page_hears_once_that_it_is_over(shelf: Shelf, ada: Visitor) -> None:
    told, other = Told(), Told()
    async with (
        shelf.client("2025-11-25", elicitation_callback=User(), message_handler=told) as client,
        shelf.client("2025-11-25", elicitation_callback=User(), message_handler=other) as second,
    ):
        call = calling(client)
        [followed] = await eventually(lambda: list(shelf.guard.waiting.calls._followed.values()))
        await eventually(lambda: followed.waiters)
        again = calling(second)  # the same call of the same account, in another session
        await approve(shelf, ada)
        await asyncio.gather(call, again)
        assert told.over == [followed.held.id]  # before the result
        assert text(await calling(client, {"path": "/b", "weight": "none"}))  # whatever comes after, it hears no more
    assert (told.over, other.over) == ([followed.held.id], [])


@pytest.mark.parametrize("decision", ["approve", "deny"])
async def test_it_hears_so_also_when_it_waits_no_longer(shelf: Shelf, ada: Visitor, decision: str) -> None:
    shelf.guard.waiting.longest, told = 0.5, Told()
    async with shelf.client("2025-11-25", elicitation_callback=User(), message_handler=told) as client:
        waits = meta(await calling(client))[tool.PENDING]
        if decision == "approve":
            await approve(shelf, ada)
        else:
            identifier = await asyncio.to_thread(pending, shelf)
            await asyncio.to_thread(lambda: ada.post("/requests/deny", requests=[identifier]))
        assert await eventually(lambda: told.over) == [waits["id"]]


@pytest.mark.parametrize("user", [User("decline"), None])
async def test_who_did_not_open_it_hears_nothing(shelf: Shelf, ada: Visitor, user: User | None) -> None:
    shelf.guard.waiting.longest, told = 0.5, Told()
    async with shelf.client("2025-11-25", elicitation_callback=user, message_handler=told) as client:
        await calling(client)
        calls = shelf.guard.waiting.calls
        [followed] = calls._followed.values()
        followed.give_up(0.0)
        assert await calls.over(followed.held.id)
        await client.list_tools()
    assert ada
    assert told.over == []
