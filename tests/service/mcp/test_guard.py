"""What stands behind the guard: by declaration, by policy, through mounted servers, and past it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastmcp import Client as FastMCPClient
from fastmcp import Context as FastMCPContext
from fastmcp import FastMCP
from fastmcp.exceptions import ToolError
from mcp.server.mcpserver import Context, MCPServer
from pydantic import AfterValidator, BaseModel, Field
from tests.service.mcp.shelf import FACES, Shelf, approve, meta, person, refusal, text

from oneact.protocol import tool
from oneact.service.mcp import Act, Guard
from oneact.service.mcp.calling import NotApprovedError
from oneact.service.mcp.policy import Policy


def guard_of(folder: Path, **more: Any) -> Guard:
    settings: dict[str, Any] = {
        "resource": "http://localhost:8000", "name": "Shelf", "key": folder / "k.jwk", "store": folder / "s.db",
        "account": lambda _: None, "issuers": ["http://localhost:8400"], **more,
    }  # fmt: skip
    return Guard(**settings)


def server_of(kind: str) -> Any:
    return FastMCP("x") if kind == "fastmcp" else MCPServer("x")


@pytest.mark.parametrize("kind", FACES)
async def test_with_a_policy_every_tool_has_a_rule_and_an_unnamed_one_needs_an_approval(
    tmp_path: Path, kind: str, revision: str
) -> None:
    shelf = Shelf(tmp_path, kind, policy={"re*": "allow", "crash": "deny", "write": "allow"})
    with shelf.running():
        ada = person(shelf)
        async with shelf.client(revision) as client:
            listed = [found.name for found in (await client.list_tools()).tools]
            assert sorted(listed) == ["burn", "buy", "oneact_wait", "read", "write"]
            assert text(await client.call_tool("read", {"path": "/a"})) == "what stands in /a"
            denied = await client.call_tool("crash", {"what": "all"})
            assert denied.is_error
            asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "crash", "arguments": {}}}
            accept = {"Accept-Txn-Challenge": f'?1;as="{shelf.issuers.issuer}"'}
            async with httpx.AsyncClient(trust_env=False) as http:
                offer = await http.post(f"{shelf.resource}/mcp", headers=accept, json=asked)
            assert (offer.status_code, offer.json()["reason"]) == (404, "action_unknown")
            assert "crash" not in shelf.guard.actions
            unknown = await client.call_tool("nothing", {})
            assert refusal(unknown) == "action_unknown"
            call = asyncio.ensure_future(client.call_tool("burn", {"path": "/b"}))
            await approve(shelf, ada)
            assert text(await call) == "burnt"
            shelf.guard.waiting.longest = 0.1
            assert tool.PENDING in meta(await client.call_tool("write", {"path": "/a"}))  # it was declared
    assert shelf.written == [{"burnt": "/b", "times": 1}]


def test_a_rule_is_by_name_or_by_the_longest_beginning() -> None:
    policy = Policy({"a*": "allow", "ab*": "deny", "abc": "approve", "*": "allow"})
    assert [policy.of(name) for name in ("a", "ab", "abc", "abcd", "x")] == [
        "allow",
        "deny",
        "approve",
        "deny",
        "allow",
    ]
    assert Policy({}).of("x") == "approve"
    for wrong in ({"a": "maybe"}, {"*a": "allow"}, {"": "allow"}):
        with pytest.raises(ValueError, match="policy of"):
            Policy(wrong)  # type: ignore[arg-type]  # what an owner may write


@pytest.mark.parametrize("kind", FACES)
async def test_a_function_runs_within_an_approved_act_alone(tmp_path: Path, kind: str) -> None:
    guard, ran = guard_of(tmp_path), []

    @guard.tool(intent="Do it")
    def now(path: str) -> None:
        ran.append(path)

    @guard.tool(intent="Do it later")
    async def later(path: str, act: Act) -> None:
        ran.append((path, act))

    with pytest.raises(NotApprovedError):
        now("/a")
    with pytest.raises(NotApprovedError):
        await later(path="/a")
    server = server_of(kind)  # whose guard was forgotten
    server.tool()(now)
    if kind == "fastmcp":
        with pytest.raises(ToolError):
            await server.call_tool("now", {"path": "/a"})
    else:
        with pytest.raises(Exception, match="now"):
            await server.call_tool("now", {"path": "/a"})
    assert ran == []


async def test_a_mounted_server_is_guarded_through_the_one_it_is_mounted_in(tmp_path: Path) -> None:
    inner, outer = FastMCP("inner"), FastMCP("outer")
    done = []

    @inner.tool()
    def burn(path: str) -> str:
        done.append(path)
        return "burnt"

    guard_of(tmp_path).protect(inner, {})
    outer.mount(inner, namespace="deep")
    async with FastMCPClient(outer) as client:
        assert "deep_burn" in [found.name for found in await client.list_tools()]
        result = await client.call_tool("deep_burn", {"path": "/a"}, raise_on_error=False)
    assert result.is_error
    assert done == []


async def test_a_call_within_the_process_has_nobody_to_ask(tmp_path: Path) -> None:
    server, done = FastMCP("x"), []

    @server.tool()
    def burn(path: str) -> str:
        done.append(path)
        return "burnt"

    guard_of(tmp_path).protect(server, {})
    with pytest.raises(ToolError):
        await server.call_tool("burn", {"path": "/a"})
    assert done == []


@pytest.mark.parametrize("kind", FACES)
async def test_a_tool_that_changes_is_another_action(tmp_path: Path, kind: str) -> None:
    guard, server = guard_of(tmp_path), server_of(kind)

    def burn(path: str) -> str:
        return path

    def burn_more(path: str, times: int) -> str:
        return path * times

    server.tool(name="burn")(burn)
    guard.protect(server, {})
    await guard.start()
    before = guard.actions["burn"].action
    if kind == "fastmcp":
        server.local_provider.remove_tool("burn")
    else:
        server.remove_tool("burn")
    server.tool(name="burn")(burn_more)
    assert await guard.needs_approval("burn")
    assert guard.actions["burn"].action.digest != before.digest
    assert await guard.store.find_action(before.digest) == before.document
    await guard.stop()


def even(value: int) -> int:
    return value + 1


class Box(BaseModel):
    size: int
    label: str = "box"


@pytest.mark.parametrize("kind", FACES)
async def test_what_really_runs_is_what_is_shown(tmp_path: Path, kind: str) -> None:
    guard, server = guard_of(tmp_path), server_of(kind)

    @server.tool()
    @guard.tool(intent="Pack")
    def pack(box: Box, note: str = Field(default="none", max_length=5), weight: float = 1) -> str:
        return f"{box} {note} {weight}"

    @server.tool()
    @guard.tool(intent="Shift")
    def shift(by: Annotated[int, AfterValidator(even)]) -> str:
        return str(by)

    @server.tool()
    @guard.tool(intent="Stamp")
    def stamp(at: Annotated[list[str], Field(default_factory=list)]) -> str:
        return str(at)

    guard.protect(server)
    await guard.start()
    packed = guard.actions["pack"].normalise({"box": {"size": 2}})
    assert packed == {"box": {"size": 2, "label": "box"}, "note": "none", "weight": "1"}
    with pytest.raises(Exception, match="change when they are read again"):
        guard.actions["shift"].normalise({"by": 1})
    with pytest.raises(Exception, match="at"):  # what is made at each call would not be shown beforehand
        guard.actions["stamp"].normalise({})
    assert guard.actions["stamp"].action.schema["required"] == ["at"]
    await guard.stop()


@pytest.mark.parametrize("kind", FACES)
async def test_the_servers_own_arguments_are_no_parameters(tmp_path: Path, kind: str) -> None:
    guard, server = guard_of(tmp_path), server_of(kind)

    if kind == "fastmcp":

        @server.tool()
        @guard.tool(intent="Write")
        async def write(path: str, ctx: FastMCPContext, act: Act) -> str:
            return f"{path} {ctx} {act}"

    else:

        @server.tool()
        @guard.tool(intent="Write")
        async def write(path: str, ctx: Context, act: Act) -> str:  # type: ignore[type-arg,misc]  # as authors write it
            return f"{path} {ctx} {act}"

    guard.protect(server)
    await guard.start()
    assert guard.actions["write"].action.schema["properties"].keys() == {"path"}  # type: ignore[union-attr]  # an object
    await guard.stop()


async def test_one_guard_protects_one_server(tmp_path: Path) -> None:
    guard = guard_of(tmp_path)
    with pytest.raises(TypeError):
        guard.protect(object())
    guard.protect(FastMCP("x"))
    with pytest.raises(ValueError, match="one server"):
        guard.protect(FastMCP("y"))
