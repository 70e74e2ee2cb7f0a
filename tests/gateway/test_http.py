"""Streamable HTTP on both sides of the proxy, with real clients of both revisions."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.exceptions import ToolError
from mcp import MCPError

from oneact.service.mcp import answers
from tests.gateway.playing import MODES, UPSTREAM, Play, refused, text
from tests.ports import free_port

NOTE = {"name": "a", "text": "b"}


@contextlib.contextmanager
def remote(play: Play) -> Iterator[str]:
    """Run the small server over HTTP; gives its address."""
    port = free_port()
    with (play.folder / "upstream").open("w") as log:
        process = subprocess.Popen([sys.executable, str(UPSTREAM), "http", str(port)], env=play.env, stderr=log)
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(f"http://127.0.0.1:{port}/")
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()


class Listening:
    """A proxy that takes clients over HTTP."""

    def __init__(self, play: Play) -> None:
        self.port = free_port()
        play.options += ["--listen", str(self.port)]
        self.log = play.folder / "stderr"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(play.command, env=play.env, stderr=log)
        until = time.monotonic() + 20
        while time.monotonic() < until and "Bearer" not in self.log.read_text():
            time.sleep(0.05)
        found = re.search(r"reach (\S+) with .*Bearer (\S+)", self.log.read_text())
        assert found, self.log.read_text()
        self.url, self.secret = found.groups()

    def client(self, mode: str, **settings: Any) -> Client[Any]:
        headers = {"Authorization": f"Bearer {self.secret}"}
        return Client(StreamableHttpTransport(self.url, headers=headers), mode=mode, **settings)

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        finally:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def listening(play: Play) -> Iterator[Listening]:
    found = Listening(play)
    yield found
    found.close()


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_over_http_calls_a_server_that_the_proxy_starts(
    play: Play, listening: Listening, mode: str
) -> None:
    async with listening.client(mode) as client:
        assert answers.WAIT in {tool.name for tool in await client.list_tools()}
        await play.link(client)
        async with play.deciding("approve"):
            result = await client.call_tool("write_note", NOTE)
        assert result.structured_content == {"written": "a", "weight": 0.5}
        assert (await client.read_resource("note://x"))[0].text == "note x"
    assert play.calls == ["write a b 1"]


@pytest.mark.parametrize("mode", MODES)
async def test_progress_comes_with_the_answer_that_it_belongs_to(play: Play, listening: Listening, mode: str) -> None:
    async with listening.client(mode) as one, listening.client(mode) as two:
        await play.link(one)
        heard: list[list[float]] = [[], []]

        def into(number: int) -> Any:
            async def progress(done: float, *_: Any) -> None:
                heard[number].append(done)

            return progress

        async with play.deciding("approve", "approve"):
            await asyncio.gather(
                one.call_tool("slow", {"seconds": 0.2}, progress_handler=into(0)),
                two.call_tool("slow", {"seconds": 0.3}, progress_handler=into(1)),
            )
    assert [found[-1] for found in heard] == [1.0, 1.0]
    assert [found.count(1.0) for found in heard] == [1, 1]


@pytest.mark.parametrize("mode", MODES)
async def test_a_server_over_http_stands_behind_the_proxy(play: Play, mode: str) -> None:
    with remote(play) as address:
        play.mode = mode
        play.options += ["--url", address]
        play.upstream = []
        async with play.client() as client:
            await play.link(client)
            async with play.deciding("approve"):
                assert text(await client.call_tool("slow", {"seconds": 0.1})) == "done"
            assert (await client.read_resource("note://x"))[0].text == "note x"
    assert play.calls == ["slow"]


@pytest.mark.parametrize("mode", MODES)
async def test_a_server_over_http_that_is_gone_is_told(play: Play, mode: str) -> None:
    play.mode = mode
    (play.folder / "policy.yaml").write_text("tools: {read_note: allow}")
    with remote(play) as address:
        play.options += ["--url", address, "--config", str(play.folder / "policy.yaml")]
        play.upstream = []
        async with play.client() as client:
            await play.link(client)
            async with play.deciding("approve"):
                result = await client.call_tool("die", {}, raise_on_error=False)
            assert result.is_error
            with pytest.raises((MCPError, ToolError)):  # an error of the protocol, or of the call
                await client.call_tool("read_note", {"name": "x"}, timeout=20)
    assert play.calls == ["die"]


async def test_what_waits_is_seen_by_the_session_that_has_asked_alone(play: Play, listening: Listening) -> None:
    async with listening.client("legacy") as one, listening.client("legacy") as two:
        await play.link(one)
        call = asyncio.create_task(one.call_tool("write_note", NOTE))
        await asyncio.to_thread(play.appeared)
        [[held]] = play.held()
        assert refused(await two.call_tool(answers.WAIT, {"id": held}, raise_on_error=False)) == "held_unknown"
        async with play.deciding("approve"):
            await call
    assert play.calls == ["write a b 1"]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": ""}, 401),
        ({}, 200),
    ],
)
@pytest.mark.parametrize("version", ["", "2026-07-28"])
def test_only_a_program_with_the_secret_is_answered(
    listening: Listening, changed: dict[str, str], status: int, version: str
) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    method = "server/discover" if version else "initialize"
    params: dict[str, Any] = {"_meta": meta}
    if not version:
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    headers = {
        "Accept": "application/json, text/event-stream", "Authorization": f"Bearer {listening.secret}",
        "Content-Type": "application/json", "Mcp-Method": method,
    }  # fmt: skip
    if version:
        headers["MCP-Protocol-Version"] = version
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = httpx.post(listening.url, json=body, headers={**headers, **changed}, timeout=20)
    assert answer.status_code == status


async def test_a_client_that_closes_its_answer_has_given_up(play: Play, listening: Listening) -> None:
    async with listening.client("2026-07-28") as client:
        await play.link(client)
        call = asyncio.create_task(client.call_tool("write_note", NOTE))
        await asyncio.to_thread(play.appeared)
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await call
        again = asyncio.create_task(client.call_tool("write_note", NOTE))
        async with play.deciding("approve"):
            assert (await again).structured_content["written"] == "a"
    assert play.asked() == 1
    assert play.calls == ["write a b 1"]
