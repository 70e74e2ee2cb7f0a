"""Tools called as tasks through the proxy: the proxy's task until the person has approved, then the server's."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from oneact.protocol import receipt
from oneact.protocol.tool import RECEIPT, REFUSED
from tests.gateway.playing import Play
from tests.gateway.wire import Wire, wired

THEIRS = "the server's own"
RELATED = "io.modelcontextprotocol/related-task"
TASK = {"task": {"ttl": 60000}}


@pytest.fixture
async def wire(play: Play) -> AsyncIterator[Wire]:
    play.upstream = [sys.executable, str(Path(__file__).with_name("tasked.py"))]
    async with wired(play) as found:
        await found.hello()
        told = await found.call("link", "long", **TASK)
        assert told["error"]["data"][REFUSED]["reason"] == "passkey_needed"
        await asyncio.to_thread(play.begin, play.start())
        yield found


async def made(wire: Wire, identifier: Any) -> dict[str, Any]:
    return dict((await wire.call(identifier, "long", **TASK))["result"]["task"])


async def test_the_servers_task_follows_the_approval_under_one_id(play: Play, wire: Wire) -> None:
    task = await made(wire, 1)
    assert task["status"] == "working"
    assert task["statusMessage"].endswith(await asyncio.to_thread(play.appeared))
    assert (await made(wire, 2))["taskId"] == task["taskId"]  # the same call again is the same task
    assert play.calls == []
    await wire.send(id=3, method="tasks/result", params={"taskId": task["taskId"]})
    await asyncio.to_thread(play.decide, "approve")
    result = (await wire.answer(3))["result"]
    assert result["content"] == [{"type": "text", "text": "at last"}]
    assert result["_meta"][RELATED] == {"taskId": task["taskId"]}
    assert receipt.parse(result["_meta"][RECEIPT])[0].status == "executed"
    told = (await wire.ask(4, "tasks/get", taskId=task["taskId"]))["result"]
    assert (told["taskId"], told["status"]) == (task["taskId"], "completed")
    assert (await wire.ask(5, "tasks/cancel", taskId=task["taskId"]))["result"]["status"] == "cancelled"
    assert THEIRS not in str(wire.heard)
    assert play.calls == ['{"ttl": 60000}']  # once, and as a task
    assert play.asked() == 1


async def test_a_denied_task_has_failed_and_never_reached_the_server(play: Play, wire: Wire) -> None:
    task = (await made(wire, 1))["taskId"]
    await asyncio.to_thread(play.decide, "No")
    result = (await wire.ask(2, "tasks/result", taskId=task))["result"]
    assert (result["isError"], result["_meta"][REFUSED]["reason"]) == (True, "denied")
    assert (await wire.ask(3, "tasks/get", taskId=task))["result"]["status"] == "failed"
    assert play.calls == []


async def test_a_cancelled_task_is_withdrawn(play: Play, wire: Wire) -> None:
    task = (await made(wire, 1))["taskId"]
    await asyncio.to_thread(play.appeared)
    await wire.send(id=2, method="tasks/result", params={"taskId": task})
    cancelled = (await wire.ask(3, "tasks/cancel", taskId=task))["result"]
    assert (cancelled["taskId"], cancelled["status"]) == (task, "cancelled")
    waited = next((found for found in wire.heard if found.get("id") == 2), None) or await wire.answer(2)
    assert waited["result"]["_meta"][REFUSED]["reason"] == "cancelled"
    assert (await wire.ask(4, "tasks/get", taskId=task))["result"]["status"] == "cancelled"
    assert play.pending() == []
    assert play.calls == []
