"""The proxy message by message, in front of a server that does what no library lets it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from oneact.protocol import receipt
from oneact.protocol.tool import RECEIPT, REFUSED
from oneact.service.mcp import answers
from tests.gateway.playing import Play
from tests.gateway.wire import MODERN, Wire, wired

RAW = Path(__file__).with_name("raw.py")
OPEN: dict[str, Any] = {"type": "object"}


@pytest.fixture
def raw(play: Play) -> Play:
    play.upstream = [sys.executable, str(RAW)]
    play.environment["TEST_TOOLS"] = str(play.folder / "tools.json")
    tools(play, "one", "refuse", "wait", "flood_line", "flood_notes", "stray", "input", "sample")
    return play


def tools(play: Play, *names: str, **changed: Any) -> None:
    """Have the server list these tools, their definitions changed."""
    listed = [{"name": name, "description": f"does {name}", "inputSchema": OPEN, **changed} for name in names]
    (play.folder / "tools.json").write_text(json.dumps(listed))


def allow(play: Play, *names: str) -> None:
    (play.folder / "policy.yaml").write_text(json.dumps({"tools": dict.fromkeys(names, "allow")}))
    play.options += ["--config", str(play.folder / "policy.yaml")]


def said(message: dict[str, Any]) -> str:
    return str(message["result"]["content"][0]["text"])


async def link(wire: Wire, play: Play) -> None:
    told = said(await wire.call("link", "one"))
    assert "oneact mcp start" in told
    await asyncio.to_thread(play.begin, play.start())


async def test_a_result_is_handed_on_as_it_came_with_its_receipt(raw: Play) -> None:
    async with wired(raw) as wire:
        await wire.hello()
        await link(wire, raw)
        async with raw.deciding("approve"):
            found = (await wire.call(1, "one", {"deep": [1.5, {"x": None}]}))["result"]
    meta = found.pop("_meta")
    assert found == {"content": [{"type": "text", "text": "one"}], "big": 2**60}
    assert meta["own"] == 1.0
    assert receipt.parse(meta[RECEIPT])[0].status == "executed"
    assert raw.calls == ['["one", {"deep": [1.5, {"x": null}]}]']


async def test_a_servers_own_error_is_handed_on_as_it_came(raw: Play) -> None:
    async with wired(raw) as wire:
        await wire.hello()
        await link(wire, raw)
        async with raw.deciding("approve"):
            found = await wire.call(1, "refuse")
    assert found["error"] == {"code": -32099, "message": "no", "data": {"why": "so"}}


async def test_identifiers_of_both_sides_are_kept_apart(raw: Play) -> None:
    async with wired(raw) as wire:
        await wire.hello(sampling={})
        await link(wire, raw)
        async with raw.deciding("approve"):
            await wire.send(id=1, method="tools/call", params={"name": "sample", "arguments": {}})
            asked = await wire.next()
            assert (asked["id"], asked["method"]) == (1, "sampling/createMessage")
            await wire.send(id=1, result={"role": "assistant", "text": "hello"})
            assert said(await wire.answer(1)) == '{"role": "assistant", "text": "hello"}'


async def test_a_message_of_an_unknown_method_reaches_the_server_as_it_is(raw: Play) -> None:
    async with wired(raw) as wire:
        await wire.hello()
        found = await wire.ask("x", "tasks/strange", deep={"a": [1, 2.5]}, _meta={"b": 1})
    assert found["result"]["echo"]["params"] == {"deep": {"a": [1, 2.5]}, "_meta": {"b": 1}}


async def test_what_is_no_message_is_answered_and_ends_nothing(raw: Play) -> None:
    async with wired(raw) as wire:
        await wire.hello()
        assert wire.process.stdin is not None
        wire.process.stdin.write(b"[1,2]\nnot json\n")
        assert [(await wire.next())["error"]["code"] for _ in range(2)] == [-32600, -32600]
        assert "result" in await wire.ask(1, "ping")


async def test_answers_that_nobody_asked_for_and_stray_lines_are_dropped(raw: Play) -> None:
    allow(raw, "stray")
    async with wired(raw) as wire:
        await wire.hello()
        assert said(await wire.call(1, "stray")) == "stray"
    assert [found for found in wire.heard if found.get("id") == "nobody asked for this"] == []


async def test_a_server_whose_message_has_no_end_is_ended(raw: Play) -> None:
    async with wired(raw) as wire:
        await wire.hello()
        await link(wire, raw)
        async with raw.deciding("approve"):
            found = (await wire.call(1, "flood_line"))["result"]
        assert receipt.parse(found["_meta"][RECEIPT])[0].status == "unknown"
        assert "echo" in (await wire.ask(2, "ping"))["result"]
    assert len(raw.calls) == 1


async def test_a_flood_of_messages_is_as_fast_as_its_reader(raw: Play) -> None:
    allow(raw, "flood_notes")
    async with wired(raw) as wire:
        await wire.hello()
        await wire.send(id=1, method="tools/call", params={"name": "flood_notes", "arguments": {}})
        await wire.next()
        await asyncio.sleep(1)
        assert wire.memory() < 300_000
        assert said(await wire.answer(1)) == "flood_notes"
    assert len(wire.heard) > 30_000


async def test_input_that_an_approved_tool_asks_for_needs_no_second_approval(raw: Play) -> None:
    async with wired(raw) as wire:
        meta = {"_meta": MODERN}
        await link_modern(wire, raw)
        async with raw.deciding("approve"):
            asked = (await wire.call(1, "input", {"a": 1}, **meta))["result"]
        assert (asked["resultType"], asked["requestState"]) == ("input_required", "s1")
        given = {"requestState": "s1", "inputResponses": {"name": {"action": "accept", "content": {"value": "Ada"}}}}
        assert said(await wire.call(2, "input", {"a": 1}, **meta, **given)) == "input"
        assert raw.asked() == 1
        for number, arguments in ((3, {"a": 1}), (4, {"a": 2})):  # once more, and with others: another act each
            task = asyncio.create_task(wire.call(number, "input", arguments, **meta, **given))
            identifier = await asyncio.to_thread(raw.appeared)
            assert raw.person.approve(identifier).status_code == 200
            await task
    assert raw.asked() == 3
    assert len(raw.calls) == 4


async def link_modern(wire: Wire, play: Play) -> None:
    told = said(await wire.call("link", "one", _meta=MODERN))
    assert "oneact mcp start" in told
    await asyncio.to_thread(play.begin, play.start())


async def test_a_cancelled_call_is_answered_by_nothing_and_withdrawn_later(raw: Play) -> None:
    async with wired(raw) as wire:
        await wire.hello()
        await link(wire, raw)
        await wire.send(id=1, method="tools/call", params={"name": "one", "arguments": {}})
        await asyncio.to_thread(raw.appeared)
        await wire.send(method="notifications/cancelled", params={"requestId": 1})
        assert "result" in await wire.ask(2, "ping")
    assert [found for found in wire.heard if found.get("id") == 1] == []
    assert raw.pending() == []
    assert raw.calls == []


async def test_a_pending_call_is_waited_for_by_its_identifier(raw: Play) -> None:
    async with wired(raw) as wire:
        await wire.hello()
        await link(wire, raw)
        await wire.send(id=1, method="tools/call", params={"name": "one", "arguments": {}})
        await asyncio.to_thread(raw.appeared)
        [[held]] = raw.held()
        await wire.send(id=2, method="tools/call", params={"name": answers.WAIT, "arguments": {"id": held}})
        async with raw.deciding("approve"):
            assert said(await wire.answer(2)) == "one"
    assert raw.calls == ['["one", {}]']


async def test_an_identifier_that_is_none_is_refused(raw: Play) -> None:
    async with wired(raw) as wire:
        await wire.hello()
        for identifier, arguments in ((1, {"id": "nothing"}), (2, {}), (3, {"id": "x", "more": 1})):
            found = (await wire.call(identifier, answers.WAIT, arguments))["result"]
            reasons = {1: "held_unknown", 2: "parameters_invalid", 3: "parameters_invalid"}
            assert found["_meta"][REFUSED]["reason"] == reasons[identifier]


async def test_arguments_that_are_none_are_refused(raw: Play) -> None:
    async with wired(raw) as wire:
        await wire.hello()
        found = await wire.ask(1, "tools/call", name="one", arguments=[1])
        assert found["error"]["code"] == -32602
        assert (await wire.call(2, "not_listed"))["error"]["code"] == -32602
