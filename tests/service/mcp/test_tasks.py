"""Guarded tools called as tasks (2025-11-25): answered at once, asked after by id, withdrawn, and nobody else's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import fastmcp
import pytest
from mcp.server.mcpserver import Context
from tests.server.visitor import Visitor
from tests.service.mcp.posting import Poster, messages
from tests.service.mcp.shelf import FACES, Shelf, approve, pending, person, requests
from tests.service.world import eventually

from oneact.protocol import tool
from oneact.service.mcp.tasking import RELATED

A = {"path": "/a"}


class Client:
    """A program of that revision, signed in as an account."""

    def __init__(self, shelf: Shelf, account: str = "ada", revision: str = "2025-11-25", **capabilities: Any) -> None:
        self.poster = Poster(f"{shelf.resource}/mcp", revision, capabilities)
        self.headers = {"X-Account": account}

    async def ask(self, method: str, **params: Any) -> Any:
        """Give the result of a request, or its error."""
        answer = messages(await self.poster.ask(method, params, self.headers))[-1]
        return answer.get("result", answer.get("error"))

    async def make(self, name: str = "write", arguments: Any = A, **more: Any) -> Any:
        return await self.ask("tools/call", name=name, arguments=arguments, task={"ttl": 60000}, **more)


@pytest.fixture
def client(shelf: Shelf) -> Client:
    return Client(shelf)


async def test_a_task_is_made_at_once_and_gives_the_result_when_it_was_approved(
    shelf: Shelf, ada: Visitor, client: Client
) -> None:
    task = (await client.make())["task"]
    assert task["status"] == "working"
    assert task["statusMessage"].endswith(await asyncio.to_thread(pending, shelf))
    assert task["createdAt"] == task["lastUpdatedAt"]
    assert task["ttl"] > 600_000
    result = asyncio.ensure_future(client.ask("tasks/result", taskId=task["taskId"]))
    assert (await client.ask("tasks/get", taskId=task["taskId"]))["status"] == "working"
    await approve(shelf, ada)
    found = await result
    assert found["content"][0]["text"] == "/a written"
    assert found["_meta"][RELATED] == {"taskId": task["taskId"]}
    assert tool.RECEIPT in found["_meta"]
    assert (await client.ask("tasks/get", taskId=task["taskId"]))["status"] == "completed"
    again = await client.ask("tasks/result", taskId=task["taskId"])
    assert again["content"] == found["content"]
    assert len(shelf.written) == 1


async def test_the_same_call_again_is_the_same_task(shelf: Shelf, ada: Visitor, client: Client) -> None:
    assert ada
    first, again = await client.make(), await client.make()
    assert first["task"]["taskId"] == again["task"]["taskId"]
    assert len(requests(shelf)) == 1


@pytest.mark.parametrize("account", ["bob", "carol"])
async def test_it_is_nobodys_but_the_callers(shelf: Shelf, ada: Visitor, client: Client, account: str) -> None:
    assert ada
    person(shelf, "bob")
    task, other = (await client.make())["task"]["taskId"], Client(shelf, account)
    for method in ("tasks/get", "tasks/result", "tasks/cancel"):
        for named in (task, "made up", 7, None):
            error = await (client if named != task else other).ask(method, taskId=named)
            assert error["code"] == -32602
            assert error["data"]["reason"] == "held_unknown"
    assert len(requests(shelf)) == 1


async def test_cancelling_withdraws_it_and_the_same_call_again_is_another(
    shelf: Shelf, ada: Visitor, client: Client
) -> None:
    assert ada
    task = (await client.make())["task"]["taskId"]
    result = asyncio.ensure_future(client.ask("tasks/result", taskId=task))
    [followed] = shelf.guard.waiting.calls._followed.values()
    await eventually(lambda: followed.waiters == 2)  # the task, and who waits for its result
    assert (await client.ask("tasks/cancel", taskId=task))["status"] == "cancelled"
    assert (await result)["_meta"][tool.REFUSED]["reason"] == "cancelled"
    assert requests(shelf) == []
    assert (await client.ask("tasks/get", taskId=task))["status"] == "cancelled"
    assert (await client.ask("tasks/cancel", taskId=task))["code"] == -32602
    assert (await client.make())["task"]["taskId"] != task
    assert shelf.written == []


async def test_cancelling_leaves_what_another_call_waits_for(shelf: Shelf, ada: Visitor, client: Client) -> None:
    task = (await client.make())["task"]["taskId"]
    [followed] = shelf.guard.waiting.calls._followed.values()
    other = asyncio.ensure_future(client.ask("tools/call", name="write", arguments=A))
    await eventually(lambda: followed.waiters == 2)
    assert (await client.ask("tasks/cancel", taskId=task))["status"] == "cancelled"
    await approve(shelf, ada)
    assert (await other)["content"][0]["text"] == "/a written"
    assert (await client.ask("tasks/get", taskId=task))["status"] == "cancelled"


async def test_another_call_that_goes_leaves_the_task(shelf: Shelf, ada: Visitor, client: Client) -> None:
    task = (await client.make())["task"]["taskId"]
    async with shelf.client("2025-11-25") as other:
        gone = asyncio.ensure_future(other.call_tool("write", A))
        [followed] = shelf.guard.waiting.calls._followed.values()
        await eventually(lambda: followed.waiters == 2)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        await eventually(lambda: followed.waiters == 1 and not shelf.guard.waiting._left)
    assert followed._until is None
    await approve(shelf, ada)
    assert (await client.ask("tasks/result", taskId=task))["content"][0]["text"] == "/a written"


async def test_a_denied_task_has_failed_with_the_persons_words(shelf: Shelf, ada: Visitor, client: Client) -> None:
    task = (await client.make())["task"]["taskId"]
    identifier = await asyncio.to_thread(pending, shelf)
    await asyncio.to_thread(lambda: ada.post("/requests/deny", requests=[identifier], message="Not today"))
    found = await client.ask("tasks/result", taskId=task)
    assert (found["isError"], found["_meta"][tool.REFUSED]["reason"]) == (True, "denied")
    told = await client.ask("tasks/get", taskId=task)
    assert told["status"] == "failed"
    assert "Not today" in told["statusMessage"]


async def test_a_tool_that_says_no_is_a_task_that_has_failed(shelf: Shelf, ada: Visitor, client: Client) -> None:
    task = (await client.make("crash", {"what": "said"}))["task"]["taskId"]
    await approve(shelf, ada)
    assert (await client.ask("tasks/result", taskId=task))["isError"] is True
    assert (await client.ask("tasks/get", taskId=task))["status"] == "failed"


async def test_a_client_that_can_open_pages_is_asked_to_while_it_waits_for_the_result(
    shelf: Shelf, ada: Visitor
) -> None:
    assert ada
    client = Client(shelf, elicitation={"url": {}})
    task = (await client.make())["task"]
    assert task["status"] == "input_required"
    waiting = asyncio.ensure_future(client.poster.ask("tasks/result", {"taskId": task["taskId"]}, client.headers))
    await eventually(lambda: shelf.guard.waiting._pages._asked)
    assert (await client.ask("tasks/get", taskId=task["taskId"]))["status"] == "working"
    await approve(shelf, ada)
    asked, told, *_, result = messages(await waiting)
    assert asked["method"] == "elicitation/create"
    assert asked["params"]["url"] in task["statusMessage"]
    assert asked["params"]["_meta"] == {RELATED: {"taskId": task["taskId"]}}
    assert told["method"] == "notifications/elicitation/complete"
    assert result["result"]["content"][0]["text"] == "/a written"


async def test_what_cannot_be_held_is_an_error_and_no_task(shelf: Shelf, ada: Visitor, client: Client) -> None:
    assert ada
    for arguments, reason in (({"path": 7}, "parameters_invalid"), ({**A, "unknown": 1}, "parameter_unknown")):
        error = await client.make(arguments=arguments)
        assert (error["code"], error["data"][tool.REFUSED]["reason"]) == (-32602, reason)
    unlinked = await Client(shelf, "carol").make()
    assert unlinked["data"][tool.PENDING] == {"page": f"{shelf.resource}/oneact/link"}
    brought = {tool.AUTHORIZATION: "DPoP nothing", tool.PROOF: "nothing"}
    error = await client.make(_meta=brought)
    assert error["data"][tool.REFUSED]["reason"] == "request_malformed"
    assert requests(shelf) == []


async def test_a_tool_without_the_guard_is_no_task(client: Client) -> None:
    assert (await client.make("read"))["code"] == -32601


async def test_tasks_are_declared_where_the_revision_has_them(shelf: Shelf, client: Client) -> None:
    hello = {"capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    for revision in ("2025-11-25", "2025-06-18"):
        told = await client.ask("initialize", protocolVersion=revision, **hello)
        assert ("tasks" in told["capabilities"]) == (revision == "2025-11-25")
    listed = (await Client(shelf).ask("tools/list"))["tools"]
    supported = {found["name"] for found in listed if found.get("execution") == {"taskSupport": "optional"}}
    assert supported == {"write", "buy", "crash"}


async def test_in_the_revision_after_it_a_call_is_simply_a_call(shelf: Shelf, ada: Visitor) -> None:
    client = Client(shelf, revision="2026-07-28")
    call = asyncio.ensure_future(client.make())
    await approve(shelf, ada)
    assert (await call)["content"][0]["text"] == "/a written"
    assert (await client.ask("tasks/get", taskId="x"))["code"] == -32601


async def slow(path: str, ctx: fastmcp.Context) -> str:
    await ctx.report_progress(1, 2, "writing")
    return f"{path} was slow"


async def slow_sdk(path: str, ctx: Context[Any, Any]) -> str:
    await ctx.report_progress(1, 2, "writing")
    return f"{path} was slow"


@pytest.mark.parametrize("kind", FACES)
async def test_a_tool_that_tells_its_progress_runs_as_a_task_too(tmp_path: Path, kind: str) -> None:
    shelf = Shelf(tmp_path, kind)
    function: Any = {"fastmcp": slow, "sdk": slow_sdk}[kind]
    shelf.server.tool(name="slow")(shelf.guard.tool(intent="Be slow")(function))
    with shelf.running():
        ada, client = await asyncio.to_thread(person, shelf), Client(shelf)
        task = (await client.make("slow", _meta={"progressToken": "p"}))["task"]["taskId"]
        await approve(shelf, ada)
        assert (await client.ask("tasks/result", taskId=task))["content"][0]["text"] == "/a was slow"
