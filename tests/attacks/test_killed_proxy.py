"""The proxy in front of a tool server is killed, and its client asks again."""

from __future__ import annotations

import asyncio

from oneact.protocol.tool import RECEIPT
from oneact.service.mcp import answers
from tests.attacks.stage_proxy import play, raw
from tests.gateway.playing import Play
from tests.gateway.test_wire import link, said
from tests.gateway.wire import wired

assert play
assert raw


async def test_killed_while_its_person_decides_it_does_once_what_is_asked_for_again(raw: Play) -> None:
    async with wired(raw) as wire:
        await wire.hello()
        await link(wire, raw)
        await wire.send(id=1, method="tools/call", params={"name": "one", "arguments": {"a": 1}})
        await asyncio.to_thread(raw.appeared)
        wire.process.kill()
    async with wired(raw) as wire:
        await wire.hello()
        await wire.send(id=1, method="tools/call", params={"name": "one", "arguments": {"a": 1}})
        await asyncio.to_thread(raw.decide, "approve")
        assert said(await wire.answer(1)) == "one"
    assert raw.asked() == 1
    assert raw.calls == ['["one", {"a": 1}]']


async def test_killed_while_its_person_decides_the_next_one_waits_on(raw: Play) -> None:
    async with wired(raw) as wire:
        await wire.hello()
        await link(wire, raw)
        await wire.send(id=1, method="tools/call", params={"name": "one", "arguments": {"a": 1}})
        await asyncio.to_thread(raw.appeared)
        wire.process.kill()
    [[held]] = raw.held()
    async with wired(raw) as wire:
        await wire.hello()
        await wire.send(id=1, method="tools/call", params={"name": answers.WAIT, "arguments": {"id": held}})
        await asyncio.to_thread(raw.decide, "approve")
        assert said(await wire.answer(1)) == "one"
    assert raw.asked() == 1
    assert raw.calls == ['["one", {"a": 1}]']


async def test_killed_while_the_tool_runs_it_says_unknown_and_runs_it_no_second_time(raw: Play) -> None:
    raw.options += ["--config", str(raw.folder / "short.yaml")]
    (raw.folder / "short.yaml").write_text("deadline: 1")
    async with wired(raw) as wire:
        await wire.hello()
        await link(wire, raw)
        await wire.send(id=1, method="tools/call", params={"name": "wait", "arguments": {"seconds": 30}})
        await asyncio.to_thread(raw.decide, "approve")
        while not raw.calls:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
        wire.process.kill()
    async with wired(raw) as wire:
        await wire.hello()
        found = (await wire.call(1, "wait", {"seconds": 30}))["result"]
    assert found["isError"]
    assert "not known" in said({"result": found})
    assert RECEIPT in found["_meta"]
    assert len(raw.calls) == 1
    assert raw.asked() == 1
