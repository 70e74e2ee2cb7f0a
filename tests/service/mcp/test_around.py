"""Beside the MCP endpoint: the guard's own addresses, the way to them from a challenge, a host's own authorization."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from fastmcp import FastMCP
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult
from starlette.requests import Request as HttpRequest
from tests.embedded.notes import current_user, enrol, sign_in
from tests.forms.air import Clock
from tests.ports import free_port
from tests.server.peers import RunningServer, serving
from tests.server.visitor import Visitor
from tests.service.mcp.shelf import Shelf, meta, refusal, text

from oneact.embedded import Embedded
from oneact.protocol import tool
from oneact.service.mcp import Guard, LocalAccount

TOKENS: Any = {
    "one": {"client_id": "one", "scopes": [], "sub": "ada"},
    "two": {"client_id": "two", "scopes": [], "sub": "ada"},
}


async def test_a_challenge_leads_to_all_that_an_agent_needs(keyed_shelf: Shelf) -> None:
    shelf = keyed_shelf
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "write", "arguments": {"path": "/a"}}}
    async with httpx.AsyncClient(trust_env=False) as http:
        asked = await http.post(f"{shelf.resource}/mcp", headers=shelf.approver.accept, json=call)
        address = asked.headers["www-authenticate"].partition('resource_metadata="')[2].partition('"')[0]
        published = (await http.get(address)).json()
        assert published["resource"] == shelf.resource
        assert (await http.get(f"{shelf.resource}/.well-known/oauth-protected-resource/mcp")).json() == published
        actions = (await http.get(published["authorization_details_types_metadata_endpoint"])).json()["actions"]
        assert {"write", "buy", "crash"} <= {action["action"] for action in actions}
        assert (await http.get(published["oneact_link_uri"])).status_code == 401
        assert (await http.get(f"{shelf.resource}/elsewhere")).status_code == 404
    assert asked.json()["transaction_challenge"]


async def test_what_asks_for_nothing_goes_on_to_the_server(keyed_shelf: Shelf, revision: str) -> None:
    accept = keyed_shelf.approver.accept
    async with keyed_shelf.client(revision, None, headers=accept) as client:
        assert text(await client.call_tool("read", {"path": "/a"})) == "what stands in /a"
        assert "write" in [found.name for found in (await client.list_tools()).tools]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"method":"tools/call"}', b'{"method":"tools/call","params":{"name":1}}']
)
async def test_what_is_no_call_goes_on_to_the_server_too(keyed_shelf: Shelf, body: bytes) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{keyed_shelf.resource}/mcp", headers=keyed_shelf.approver.accept, content=body)
    assert 400 <= answer.status_code < 500


async def test_a_call_too_large_to_be_an_act_is_refused(keyed_shelf: Shelf) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            f"{keyed_shelf.resource}/mcp", headers=keyed_shelf.approver.accept, content=b" " * 300_000
        )
    assert (answer.status_code, answer.json()["reason"]) == (413, "request_too_large")


class Hosted:
    """A server whose endpoint asks for a token of its own, and the guard under a path beside it."""

    def __init__(self, folder: Path) -> None:
        self.port, self.done = free_port(), 0
        self.root = f"http://localhost:{self.port}"
        self.server = FastMCP("hosted", auth=StaticTokenVerifier(TOKENS))
        self.guard = self.guard_at(folder, f"{self.root}/guard")

        @self.server.tool()
        @self.guard.tool(intent="Burn a file")
        def burn(path: str) -> str:
            self.done += 1
            return f"{path} burnt"

        self.guard.protect(self.server)
        self.guard.waiting.longest = 0.1
        self.app = self.guard.around(self.server.http_app())

    def guard_at(self, folder: Path, resource: str) -> Guard:
        return Guard(
            resource=resource, name="Hosted", key=folder / "k.jwk", store=folder / "s.db", account=self.account,
            issuers=Embedded(folder / "approve"),
        )  # fmt: skip

    @staticmethod
    def account(request: Any) -> LocalAccount | None:
        browser = current_user(HttpRequest(dict(request.scope)))
        return browser or (LocalAccount("ada", "Ada", 0) if "user" in request.scope else None)

    async def call(self, token: str, name: str, arguments: dict[str, Any]) -> CallToolResult:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False) as http,
            Client(streamable_http_client(f"{self.root}/mcp", http_client=http)) as client,
        ):
            return await client.call_tool(name, arguments)


async def test_a_guard_under_a_path_leaves_the_hosts_own_authorization_alone(tmp_path: Path) -> None:
    hosted = Hosted(tmp_path)
    with serving(hosted.app, hosted.port):
        async with httpx.AsyncClient(trust_env=False) as http:
            own = await http.get(f"{hosted.root}/.well-known/oauth-protected-resource/guard")
            assert own.json()["resource"] == f"{hosted.root}/guard"
            assert (await http.get(own.json()["jwks_uri"])).status_code == 200
            assert (await http.post(f"{hosted.root}/mcp", json={})).status_code == 401  # the host's own


async def test_two_clients_of_one_account_are_two_sessions(tmp_path: Path) -> None:
    hosted = Hosted(tmp_path)
    with serving(hosted.app, hosted.port):
        who = Visitor(RunningServer(f"{hosted.root}/guard/approve", None, Clock(), tmp_path / "approve" / "approve.db"))  # type: ignore[arg-type]  # another app
        sign_in(who, "ada")
        enrol(who)
        one = meta(await hosted.call("one", "burn", {"path": "/a"}))[tool.PENDING]
        assert meta(await hosted.call("one", "burn", {"path": "/a"}))[tool.PENDING] == one
        assert refusal(await hosted.call("two", "oneact_wait", {"id": one["id"]})) == "held_unknown"
        assert meta(await hosted.call("two", "burn", {"path": "/a"}))[tool.PENDING]["id"] != one["id"]
    assert hosted.done == 0


def test_at_the_root_it_would_stand_where_the_hosts_own_metadata_are(tmp_path: Path) -> None:
    hosted = Hosted(tmp_path)
    other = FastMCP("other", auth=StaticTokenVerifier(TOKENS))
    (tmp_path / "more").mkdir()
    guard = hosted.guard_at(tmp_path / "more", hosted.root)
    guard.protect(other)
    with pytest.raises(ValueError, match="resource="):
        guard.around(other.http_app())
