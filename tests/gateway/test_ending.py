"""How a proxy ends: left at once, told to end, killed; with what it owes sent, or said at its next start."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oneact.protocol import receipt
from oneact.protocol.tool import RECEIPT
from tests.gateway.playing import Play
from tests.gateway.wire import Wire, wired
from tests.ports import free_port
from tests.server.peers import RunningServer
from tests.server.visitor import Visitor

RAW = Path(__file__).with_name("raw.py")
HELLO = {
    "jsonrpc": "2.0", "id": 0, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}},
}  # fmt: skip


@pytest.fixture
def raw(play: Play) -> Play:
    play.upstream = [sys.executable, str(RAW)]
    play.environment["TEST_TOOLS"] = str(play.folder / "tools.json")
    listed = [{"name": name, "inputSchema": {"type": "object"}} for name in ("one", "wait", "flood_notes")]
    (play.folder / "tools.json").write_text(json.dumps(listed))
    return play


async def begin(wire: Wire, play: Play) -> None:
    await wire.hello()
    await wire.call("link", "one")
    await asyncio.to_thread(play.begin, play.start())


def arrived(play: Play) -> list[str]:
    """Give what the approval server has been told of acts."""
    found = play.server.execute("SELECT receipt FROM receipts")
    return [receipt.parse(text)[0].status for (text,) in found]


def kept(play: Play, query: str, place: int = 1, *values: Any) -> list[Any]:
    [database] = (play.folder / "home" / "mcp").glob(f"*/{place}/service.db")
    with contextlib.closing(sqlite3.connect(database, timeout=10)) as connection, connection:
        return connection.execute(query, values).fetchall()


@pytest.mark.parametrize("how", ["leaves", "ends"])
async def test_a_client_that_goes_at_once_after_its_answer_leaves_no_receipt_behind(raw: Play, how: str) -> None:
    async with wired(raw) as wire:
        await begin(wire, raw)
        async with raw.deciding("approve"):
            assert "result" in await wire.call(1, "one")
        if how == "ends":
            wire.process.send_signal(signal.SIGTERM)
        else:
            assert wire.process.stdin is not None
            wire.process.stdin.close()
        assert await wire.process.wait() == 0
        assert (arrived(raw), kept(raw, "SELECT * FROM outbox")) == (["executed"], [])


async def test_a_call_under_way_when_the_proxy_is_told_to_end_is_unknown_and_told_so(raw: Play) -> None:
    async with wired(raw) as wire:
        await begin(wire, raw)
        async with raw.deciding("approve"):
            await wire.send(id=1, method="tools/call", params={"name": "wait", "arguments": {"seconds": 2}})
        await called(raw)
        wire.process.send_signal(signal.SIGTERM)
        assert await wire.process.wait() == 0
        assert (arrived(raw), kept(raw, "SELECT state FROM spends")) == (["unknown"], [("unknown",)])


async def called(play: Play) -> None:
    for _ in range(1000):
        if play.calls:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the server was not called")


async def test_an_approval_server_that_answers_nothing_holds_up_no_end(raw: Play) -> None:
    pid = own_server(raw)
    async with wired(raw) as wire:
        await wire.hello()
        await wire.call("link", "one")
        raw.person.sign_up()
        await asyncio.to_thread(raw.begin, raw.start())
        await wire.send(id=1, method="tools/call", params={"name": "one", "arguments": {}})
        await asyncio.to_thread(raw.appeared)
        os.kill(pid(), signal.SIGSTOP)
        kept(raw, "INSERT INTO outbox (iss, txn, receipt, due) VALUES (?, 't', 'r', 0)", 1, raw.server.url)
        assert wire.process.stdin is not None
        wire.process.stdin.close()
        assert await asyncio.wait_for(wire.process.wait(), 10) == 0
    assert kept(raw, "SELECT txn FROM outbox") == [("t",)]


def own_server(play: Play) -> Callable[[], int]:
    """Let the proxy start its person's own approval server; gives what tells its process."""
    port = free_port()
    play.environment |= {"ONEACT_SERVER": "", "ONEACT_APPROVE_PORT": str(port)}
    folder = play.folder / "home" / "approve"
    play.server = RunningServer(f"http://localhost:{port}", None, None, folder / "server.db")  # type: ignore[arg-type]  # by HTTP alone
    play.person = Visitor(play.server)
    return lambda: int((folder / "pid").read_text())


def test_a_client_that_reads_nothing_any_more_holds_up_no_end(raw: Play) -> None:
    (raw.folder / "policy.yaml").write_text(json.dumps({"tools": {"flood_notes": "allow"}}))
    raw.options += ["--config", str(raw.folder / "policy.yaml")]
    command = raw.command
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=raw.env) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for message in (HELLO, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "flood_notes"}}):
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
        while b"notifications/message" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(10) == 0
        finally:
            process.kill()


async def test_what_a_killed_proxy_had_begun_is_unknown_as_soon_as_it_starts_again(raw: Play) -> None:
    async with wired(raw) as wire:
        await begin(wire, raw)
        async with raw.deciding("approve"):
            await wire.send(id=1, method="tools/call", params={"name": "wait", "arguments": {"seconds": 2}})
        await called(raw)
        wire.process.kill()
        await wire.process.wait()
    assert kept(raw, "SELECT state FROM spends") == [("spent",)]
    async with wired(raw) as wire:
        await wire.hello()
        assert kept(raw, "SELECT state FROM spends") == [("unknown",)]
        again = await wire.call(1, "wait", {"seconds": 2})
    assert receipt.parse(again["result"]["_meta"][RECEIPT])[0].status == "unknown"
    assert len(raw.calls) == 1


async def test_a_proxy_that_starts_beside_one_at_work_says_nothing_of_its_calls(raw: Play) -> None:
    go = raw.folder / "go"
    async with wired(raw) as wire:
        await begin(wire, raw)
        async with raw.deciding("approve"):
            await wire.send(id=1, method="tools/call", params={"name": "wait", "arguments": {"go": str(go)}})
        await called(raw)
        async with wired(raw) as other:
            await other.hello()
            assert kept(raw, "SELECT state FROM spends") == [("spent",)]
            assert kept(raw, "SELECT state FROM spends", 2) == []
        go.touch()
        found = await wire.answer(1)
    assert receipt.parse(found["result"]["_meta"][RECEIPT])[0].status == "executed"
