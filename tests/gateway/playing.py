"""A proxy as a process of its own, in front of a small server, with a real client before it and a person beside."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from oneact.protocol.tool import REFUSED
from tests.flows.test_whole import link
from tests.server.peers import RunningServer
from tests.server.visitor import Visitor

UPSTREAM = Path(__file__).with_name("upstream.py")
MODES = ("legacy", "2026-07-28")


@dataclass
class Play:
    """One proxied server: the folder of its person, the approval server, the calls that have reached it."""

    folder: Path
    server: RunningServer
    person: Visitor
    mode: str = "legacy"
    options: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    upstream: Sequence[str] = (sys.executable, str(UPSTREAM))

    @property
    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def errors(self) -> str:
        return (self.folder / "stderr").read_text()

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ, "ONEACT_HOME": str(self.folder / "home"), "TEST_CALLS": str(self.folder / "calls"),
            "ONEACT_SERVER": self.server.url, "FASTMCP_SHOW_SERVER_BANNER": "false", "FASTMCP_LOG_LEVEL": "ERROR",
            **self.environment,
        }  # fmt: skip

    @property
    def command(self) -> list[str]:
        return [
            sys.executable,
            "-m",
            "oneact.cli",
            "mcp-proxy",
            *(["--no-open"] if "--open" not in self.options else []),
            *self.options,
            "--",
            *self.upstream,
        ]

    @contextlib.asynccontextmanager
    async def client(self, **settings: Any) -> AsyncIterator[Client[Any]]:
        """Start the proxy and speak to it."""
        command, *arguments = self.command
        with (self.folder / "stderr").open("a") as log:
            transport = StdioTransport(command, arguments, env=self.env, keep_alive=False, log_file=log)
            async with Client(transport, mode=self.mode, **settings) as client:  # type: ignore[arg-type]  # a revision
                yield client

    async def link(self, client: Client[Any]) -> str:
        """Follow the start page that a call's answer tells of, make a passkey, link the proxy; gives its address."""
        said = await client.call_tool("write_note", {"name": "a", "text": "b"}, raise_on_error=False)
        assert "oneact mcp start" in text(said)
        return await asyncio.to_thread(self.begin, self.start())

    def start(self) -> str:
        """Give the address that `oneact mcp start` tells the person, of the proxy that was asked for it last."""
        files = (self.folder / "home" / "mcp").glob("*/*/start")
        return max(files, key=lambda file: file.stat().st_mtime_ns).read_text("ascii")

    def begin(self, address: str) -> str:
        """Sign in by a start page and link the proxy behind it."""
        resource = address.partition("/oneact/")[0]
        with httpx.Client() as browser:
            assert "Continue" in browser.get(address).text
            form = {"secret": address.partition("?")[2]}
            answer = browser.post(resource + "/oneact/start", data=form, headers={"Origin": resource})
            assert answer.headers["location"] == resource + "/oneact/link"
            assert "Your account is linked" in link(self.person, resource, browser).text
        return resource

    @contextlib.asynccontextmanager
    async def deciding(self, *decisions: str) -> AsyncIterator[None]:
        """Decide on the next requests that appear."""
        work = asyncio.create_task(asyncio.to_thread(self.decide, *decisions))
        yield
        await work

    def decide(self, *decisions: str) -> None:
        for decision in decisions:
            identifier = self.appeared()
            self.person.get(f"/requests/{identifier}")
            if decision == "approve":
                assert self.person.approve(identifier).status_code == 200
            else:
                denied = self.person.post("/requests/deny", requests=[identifier], message=decision)
                assert denied.status_code == 200

    def held(self) -> list[Any]:
        """Give the identifiers of what the proxy holds."""
        [database] = (self.folder / "home" / "mcp").glob("*/1/service.db")
        with contextlib.closing(sqlite3.connect(database)) as connection:
            return connection.execute("SELECT id FROM held WHERE state = 'held'").fetchall()

    def private(self) -> bool:
        """Tell whether nobody else reads what the proxies keep."""
        return (self.folder / "home").stat().st_mode & 0o077 == 0

    def pending(self) -> list[str]:
        return [found for (found,) in self.server.execute("SELECT id FROM requests WHERE state = 'pending'")]

    def asked(self) -> int:
        [[count]] = self.server.execute("SELECT count(*) FROM requests")
        return int(count)

    def appeared(self) -> str:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if found := self.pending():
                return found[0]
            time.sleep(0.02)
        raise AssertionError("no request appeared")


def text(result: Any) -> str:
    """Give the text of a result."""
    return "".join(getattr(part, "text", "") for part in result.content)


def refused(result: Any) -> str:
    """Give the code with which a call was refused."""
    assert result.is_error
    return str(((result.meta or {}).get(REFUSED) or {}).get("reason", ""))
