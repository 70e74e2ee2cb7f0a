"""Pages that the proxy opens in a browser, here one that only notes what it was given."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fastmcp.client.elicitation import ElicitResult
from mcp_types import ElicitCompleteNotification

from oneact.gateway.mcp import eliciting
from oneact.gateway.mcp.messages import Message
from oneact.service.behalf.standing import Standing
from tests.gateway.playing import Play, refused, text
from tests.service.world import eventually

NOTE = {"name": "a", "text": "b"}


@pytest.fixture
def opening(play: Play) -> Play:
    browser = play.folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {play.folder / "opened"}\n')
    browser.chmod(0o700)
    play.environment["BROWSER"] = f"{browser} %s"
    play.options.append("--open")
    return play


def opened(play: Play) -> list[str]:
    file = Path(play.folder / "opened")
    return file.read_text().split() if file.exists() else []


async def appeared(play: Play, count: int) -> list[str]:
    for _ in range(500):
        if len(found := opened(play)) >= count:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("nothing was opened")


async def test_the_start_page_is_opened_once_and_its_address_not_told_to_the_model(opening: Play) -> None:
    async with opening.client() as client:
        [start] = await appeared(opening, 1)
        for _ in range(2):
            result = await client.call_tool("write_note", NOTE, raise_on_error=False)
            assert refused(result) == "passkey_needed"
            assert "/oneact/start" not in text(result)
        assert await asyncio.to_thread(opening.begin, start)
        async with opening.deciding("approve"):
            await client.call_tool("write_note", NOTE)
        pages = await appeared(opening, 2)
    assert len(pages) == 2
    assert pages[1].startswith(f"{opening.server.url}/requests/")


async def test_a_proxy_that_starts_again_and_again_opens_no_page_each_time(opening: Play) -> None:
    async with opening.client():
        await appeared(opening, 1)
    async with opening.client() as client:
        await client.ping()
        assert len(opened(opening)) == 1
        await client.call_tool("write_note", NOTE, raise_on_error=False)
        assert len(set(await appeared(opening, 2))) == 2  # the first one is good no longer


async def test_a_page_that_the_client_opens_is_opened_by_nobody_else(opening: Play) -> None:
    async def elicit(*_: object) -> ElicitResult[object]:
        return ElicitResult(action="accept")

    async with opening.client(elicitation_handler=elicit) as client:
        [start] = await appeared(opening, 1)
        await asyncio.to_thread(opening.begin, start)
        async with opening.deciding("approve"):
            await client.call_tool("write_note", NOTE)
    assert opened(opening) == [start]


async def test_calls_that_come_at_once_open_their_page_once(opening: Play) -> None:
    async with opening.client() as client:
        [start] = await appeared(opening, 1)
        await asyncio.to_thread(opening.begin, start)
        calls = [asyncio.create_task(client.call_tool("write_note", {**NOTE, "name": name})) for name in "abc"]
        while len(opening.pending()) < 3:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
        await appeared(opening, 2)
        while opening.errors.count("needs your approval") < 3:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.02)
        for call in calls:
            call.cancel()
    pages = opened(opening)
    assert len(pages) == len(set(pages))


async def test_a_client_that_opened_a_page_hears_once_that_it_is_over(opening: Play) -> None:
    over: list[str] = []

    async def elicit(*_: object) -> ElicitResult[object]:
        return ElicitResult(action="accept")

    async def told(message: object) -> None:
        if isinstance(message, ElicitCompleteNotification):
            over.append(message.params.elicitation_id)

    async with opening.client(elicitation_handler=elicit, message_handler=told) as client:
        [start] = await appeared(opening, 1)
        await asyncio.to_thread(opening.begin, start)
        async with opening.deciding("No"):
            await client.call_tool("write_note", NOTE, raise_on_error=False)
        assert len(over) == 1
        await client.ping()
    assert len(over) == 1


async def test_it_is_told_by_itself_and_not_where_it_took_no_part() -> None:
    sent: list[Message] = []
    ends = {name: asyncio.Event() for name in ("opened", "unanswered", "declined", "failed")}

    async def send(message: Message) -> bool:
        sent.append(message)
        return True

    async def ended(held: str) -> bool:
        return await ends[held].wait()

    found = eliciting.Eliciting(send, ended)
    for held in ends:
        await found.ask(Standing(held, "held", "https://a.example", 1))
    asked = {message["params"]["elicitationId"]: message["id"] for message in sent}
    sent.clear()
    assert found.answered({"id": asked["opened"], "result": {"action": "accept"}})
    assert found.answered({"id": asked["declined"], "result": {"action": "decline"}})
    assert found.answered({"id": asked["failed"], "error": {"code": -32601, "message": "no"}})
    assert not found.answered({"id": "of somebody else", "result": {"action": "accept"}})
    for end in ends.values():
        end.set()
    await eventually(lambda: len(sent) == 2)
    for held in ends:
        await found.over(held)
    assert [message["params"] for message in sent] == [{"elicitationId": "opened"}, {"elicitationId": "unanswered"}]
    assert found.answered({"id": asked["unanswered"], "result": {"action": "accept"}})  # late, and nobody else's
    await found.close()
