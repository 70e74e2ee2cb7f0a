"""A tool server that ends by itself, and is another one when the next call starts it again."""

from __future__ import annotations

import asyncio

from tests.attacks.stage_proxy import play, raw
from tests.gateway.playing import Play
from tests.gateway.test_wire import allow, link, said, tools
from tests.gateway.wire import Wire, wired

assert play
assert raw


async def ends_and_changes(wire: Wire, play: Play) -> None:
    assert "error" in await wire.ask("end", "end")
    tools(play, "one", description="another")


async def test_a_call_that_starts_it_again_does_not_reach_what_it_has_become(raw: Play) -> None:
    allow(raw, "one")
    async with wired(raw) as wire:
        await wire.hello()
        assert said(await wire.call(1, "one")) == "one"
        await ends_and_changes(wire, raw)
        assert "Stopped" in said(await wire.call(2, "one"))
    assert len(raw.calls) == 1


async def test_an_approved_call_does_not_either(raw: Play) -> None:
    async with wired(raw) as wire:
        await wire.hello()
        await link(wire, raw)
        await wire.send(id=1, method="tools/call", params={"name": "one", "arguments": {}})
        await asyncio.to_thread(raw.appeared)
        await ends_and_changes(wire, raw)
        async with raw.deciding("approve"):
            assert "Stopped" in said(await wire.answer(1))
    assert raw.calls == []
