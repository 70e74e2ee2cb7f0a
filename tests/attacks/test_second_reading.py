"""A message in which the proxy reads one thing and the server behind it another."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.stage_proxy import play, raw
from tests.gateway.playing import Play
from tests.gateway.test_wire import allow, link, said, tools
from tests.gateway.wire import wired

assert play
assert raw
EVIL = {"name": "refuse", "arguments": {"to": "eve"}}
CALL = {"name": "one", "arguments": {"to": "ada"}}
AGAIN = {"Name": "refuse", "Arguments": {"to": "eve"}}


MESSAGES: tuple[dict[str, Any], ...] = (
    {"method": "ping", "Method": "tools/call", "params": EVIL},
    {"Method": "tools/call", "params": EVIL},
    {"method": "tools/call", "params": {**CALL, **AGAIN}},
    {"method": "tools/call", "params": CALL, "Params": EVIL},
    {"method": "ping", "params": {}, "param\u017f": EVIL, "METHOD": "tools/call"},
    {"method": ["tools/call"], "params": EVIL},
)


@pytest.fixture
def caseless(raw: Play) -> Play:
    raw.upstream = [sys.executable, str(Path(__file__).with_name("caseless.py"))]
    return raw


async def test_no_call_comes_by_a_second_name_for_the_same_member(caseless: Play) -> None:
    allow(caseless, "one")  # to call this one is no way to call another
    async with wired(caseless) as wire:
        await wire.hello()
        for number, message in enumerate(MESSAGES, 10):
            await wire.send(id=1, **message)
            assert "echo" in (await wire.ask(number, "ping"))["result"]
            assert caseless.calls == [], message


async def test_what_nobody_was_shown_does_not_go_with_an_approved_call(raw: Play) -> None:
    tools(raw, "one", "tell")
    meta = {"fastmcp": {"version": "0.1"}, "com.example/confirm": True, "traceparent": "00-1-1-01"}
    async with wired(raw) as wire:
        await wire.hello()
        await link(wire, raw)
        async with raw.deciding("approve"):
            told = said(await wire.call(1, "tell", {"to": "ada"}, _meta=meta, task={"ttl": 1}))
    passed = {"task": {"ttl": 1}, "_meta": {"traceparent": "00-1-1-01"}}
    assert json.loads(told) == {"name": "tell", "arguments": {"to": "ada"}, **passed}


async def test_one_identifier_stands_for_one_request(raw: Play) -> None:
    allow(raw, "wait", "one")
    async with wired(raw) as wire:
        await wire.hello()
        await wire.send(id=1, method="tools/call", params={"name": "wait", "arguments": {"seconds": 0.5}})
        while not raw.calls:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
        assert "error" in await wire.call(1, "one")
        assert said(await wire.answer(1)) == "wait"
    assert len(raw.calls) == 1
