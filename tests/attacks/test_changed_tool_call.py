"""A model, or its client, that asks for one call of a tool and has another one done."""

from __future__ import annotations

import asyncio

import pytest

from tests.attacks.stage_proxy import play, raw
from tests.gateway.playing import Play
from tests.gateway.test_wire import link, said
from tests.gateway.wire import wired

assert play
assert raw
ASKED = {"to": "ada", "amount": 1.5}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("one", {"to": "eve", "amount": 1.5}),
        ("one", {"to": "ada", "amount": 2.5}),
        ("one", {"to": "ada", "amount": 1.5, "more": None}),
        ("one", {"to": "ada"}),
        ("stray", {"to": "ada", "amount": 1.5}),
    ],
)
async def test_another_call_than_the_approved_one_is_another_request(
    raw: Play, tool: str, arguments: dict[str, object]
) -> None:
    async with wired(raw) as wire:
        await wire.hello()
        await link(wire, raw)
        await wire.send(id=1, method="tools/call", params={"name": "one", "arguments": ASKED})
        first = await asyncio.to_thread(raw.appeared)
        await wire.send(id=2, method="tools/call", params={"name": tool, "arguments": arguments})
        while raw.asked() < 2:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
        assert raw.person.approve(first).status_code == 200
        assert said(await wire.answer(1)) == "one"
        assert len(raw.calls) == 1
        assert "1.5" in raw.calls[0]
        assert len(raw.pending()) == 1


async def test_a_state_that_the_server_never_gave_opens_nothing(raw: Play) -> None:
    async with wired(raw) as wire:
        await wire.hello()
        await link(wire, raw)
        given = {"requestState": "s1", "inputResponses": {"name": {"action": "accept", "content": {}}}}
        await wire.send(id=1, method="tools/call", params={"name": "input", "arguments": {}, **given})
        await asyncio.to_thread(raw.appeared)
        assert raw.calls == []
        told = {"name": "one", "arguments": {}, "requestState": "oneact.3.x"}
        await wire.send(id=2, method="tools/call", params=told)
        while raw.asked() < 2:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
    assert raw.calls == []


@pytest.mark.parametrize("more", [{}, {"id": None}])
async def test_a_call_that_wants_no_answer_reaches_no_server(raw: Play, more: dict[str, None]) -> None:
    async with wired(raw) as wire:
        await wire.hello()
        await wire.send(method="tools/call", params={"name": "one", "arguments": {}}, **more)
        assert "echo" in (await wire.ask(1, "ping"))["result"]
    assert raw.calls == []
