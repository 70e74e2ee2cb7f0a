"""A client without any library: lines to the proxy, lines from it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.gateway.playing import Play

MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
}


class Wire:
    """The lines of one proxy process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.heard: list[dict[str, Any]] = []

    def memory(self) -> int:
        """Give how many KiB the process holds."""
        return int(Path(f"/proc/{self.process.pid}/status").read_text().partition("VmRSS:")[2].split()[0])

    async def send(self, **message: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        await self.process.stdin.drain()

    async def next(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 40)
        assert line, "the proxy ended"
        self.heard.append(json.loads(line))
        return self.heard[-1]

    async def answer(self, identifier: Any) -> dict[str, Any]:
        while (found := await self.next()).get("id") != identifier or "method" in found:
            pass
        return found

    async def ask(self, identifier: Any, method: str, **params: Any) -> dict[str, Any]:
        await self.send(id=identifier, method=method, params=params)
        return await self.answer(identifier)

    async def call(self, identifier: Any, name: str, arguments: dict[str, Any] | None = None, **more: Any) -> Any:
        return await self.ask(identifier, "tools/call", name=name, arguments=arguments or {}, **more)

    async def hello(self, **capabilities: Any) -> None:
        told = {"protocolVersion": "2025-11-25", "capabilities": capabilities,
                "clientInfo": {"name": "wire", "version": "1"}}  # fmt: skip
        assert "result" in await self.ask(0, "initialize", **told)
        await self.send(method="notifications/initialized")


@contextlib.asynccontextmanager
async def wired(play: Play) -> AsyncIterator[Wire]:
    """Start the proxy and give its lines."""
    with (play.folder / "stderr").open("a") as log:
        process = await asyncio.create_subprocess_exec(
            *play.command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log, env=play.env,
            limit=2**25,
        )  # fmt: skip
    try:
        yield Wire(process)
    finally:
        if process.returncode is None:
            assert process.stdin is not None
            process.stdin.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 10)
        if process.returncode is None:
            process.kill()
            await process.wait()
