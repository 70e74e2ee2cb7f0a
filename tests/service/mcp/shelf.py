"""A shelf of files behind MCP tools, served by either library, and the person whose account it is."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import httpx2
from fastmcp import FastMCP
from fastmcp.exceptions import ToolError as FastMCPToolError
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult
from pydantic import Field
from starlette.requests import Request as HttpRequest
from tests.embedded.notes import current_user, enrol, sign_in
from tests.embedded.test_whole import wait_for
from tests.forms.air import Clock
from tests.ports import free_port
from tests.server.peers import RunningServer, serving
from tests.server.visitor import Visitor

from oneact.embedded import Embedded
from oneact.service.mcp import Act, Guard, LocalAccount

FACES = ["fastmcp", "sdk"]
NOS = {"fastmcp": FastMCPToolError, "sdk": ToolError}
REVISIONS = {"2025-11-25": "legacy", "2026-07-28": "2026-07-28"}


@dataclass
class Shelf:
    """The service: where it stands, what was written and bought; `release` lets a write that has begun go on."""

    folder: Path
    kind: str
    issuers: Any = None
    policy: dict[str, Any] | None = None
    port: int = field(default_factory=free_port)
    clock: Clock = field(default_factory=Clock)
    written: list[dict[str, Any]] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    price: str = "9.00 EUR"
    longest: float = 20.0
    approver: Any = None

    def __post_init__(self) -> None:
        self.release.set()
        self.resource = f"http://localhost:{self.port}"
        self.issuers = self.issuers or Embedded(self.folder / "approve")
        self.guard = Guard(
            resource=self.resource, name="Shelf", key=self.folder / "shelf.jwk", store=self.folder / "shelf.db",
            account=self.account, issuers=self.issuers, now=self.clock,
        )  # fmt: skip
        self.server: Any = FastMCP("shelf") if self.kind == "fastmcp" else MCPServer("shelf")
        self.guard.waiting.longest = self.longest
        self._tools()
        self.guard.protect(self.server, self.policy)
        inner = self.server.http_app() if self.kind == "fastmcp" else self.server.streamable_http_app()
        self.app = self.guard.around(inner)

    @staticmethod
    def account(request: Any) -> LocalAccount | None:
        """The service's own sign-in: a header field of its MCP clients, cookies of its browsers."""
        named = request.value("x-account")
        if named is not None:
            return LocalAccount(named, named.title(), 0)
        return None if request.scope is None else current_user(HttpRequest(dict(request.scope)))

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        with serving(self.app, self.port):
            yield

    def _tools(self) -> None:
        server, guard = self.server, self.guard

        @server.tool()
        @guard.tool(intent="Write a file", summary="Write {path}", deadline=5)
        def write(path: str, act: Act, text: Annotated[str, Field(max_length=1000)] = "", weight: float = 0.5) -> str:
            """Write a file."""
            assert act.action == "write"
            self.release.wait(10)
            self.written.append({"path": path, "text": text, "weight": weight, "account": act.account})
            return f"{path} written"

        @server.tool()
        @guard.tool(
            intent="Buy a book", summary="Buy {title} for {price}", terms=self.terms,
            terms_schema={"type": "object", "properties": {"price": {"type": "string"}}},
        )  # fmt: skip
        async def buy(title: str, act: Act, copies: int = 1, gift: str | None = None) -> dict[str, Any]:
            """Buy a book."""
            self.written.append({"bought": title, "copies": copies, "gift": gift, **(act.terms or {})})
            return {"title": title, "paid": 9.5}

        @server.tool()
        @guard.tool(intent="Break something")
        def crash(what: str) -> str:
            """Break something."""
            self.written.append({"crash": what})
            if what == "said":
                raise NOS[self.kind]("not allowed")
            raise RuntimeError(what)

        @server.tool()
        def read(path: str) -> str:
            """Read a file."""
            return f"what stands in {path}"

        @server.tool()
        def burn(path: str, times: int = 1) -> str:
            """Burn a file."""
            self.written.append({"burnt": path, "times": times})
            return "burnt"

    def terms(self, title: str, copies: int) -> dict[str, str]:
        """State the price of a book."""
        assert title
        assert copies
        return {"price": self.price}

    @contextlib.asynccontextmanager
    async def client(
        self, revision: str = "2026-07-28", account: str | None = "ada", **more: Any
    ) -> AsyncIterator[Client]:
        """Connect a client of the library `mcp`, of one revision, for an account."""
        headers = {**({} if account is None else {"X-Account": account}), **more.pop("headers", {})}
        async with httpx2.AsyncClient(headers=headers, timeout=70, trust_env=False) as http:
            transport = streamable_http_client(f"{self.resource}/mcp", http_client=http)
            async with Client(transport, mode=REVISIONS[revision], **more) as client:
                yield client


def text(result: CallToolResult) -> str:
    return "\n".join(getattr(block, "text", "") for block in result.content)


def meta(result: CallToolResult) -> dict[str, Any]:
    return dict(result.meta or {})


def refusal(result: CallToolResult) -> str:
    """Give the reason of an error result."""
    assert result.is_error
    return str(meta(result)["oneact/refusal"]["reason"])


async def approve(shelf: Shelf, who: Visitor) -> str:
    """Have the person approve the one request that is pending; give its identifier."""
    identifier = await asyncio.to_thread(pending, shelf)
    answer = await asyncio.to_thread(who.approve, identifier)
    assert answer.status_code == 200, answer.text
    return identifier


def pending(shelf: Shelf) -> str:
    """Give the identifier of the one request that is pending, once it is there."""
    [[found]] = wait_for(lambda: requests(shelf))
    return str(found)


def requests(shelf: Shelf, state: str = "pending") -> list[Any]:
    """Give the requests in a state at the approval server."""
    server: Any = RunningServer(shelf.issuers.issuer, None, shelf.clock, shelf.folder / "approve" / "approve.db")  # type: ignore[arg-type]  # another app
    return list(server.execute("SELECT id FROM requests WHERE state = ?", state))


def person(shelf: Shelf, account: str = "ada") -> Visitor:
    """The person behind an account, with a passkey."""
    server: Any = RunningServer(shelf.issuers.issuer, None, shelf.clock, shelf.folder / "approve" / "approve.db")  # type: ignore[arg-type]  # another app
    found = Visitor(server)
    sign_in(found, account)
    enrol(found)
    return found
