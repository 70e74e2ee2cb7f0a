"""An agent with a key calls guarded tools through a real client of either library."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fastmcp
import httpx
import pytest
from fastmcp.client.transports import StreamableHttpTransport
from mcp_types import CallToolResult

from oneact.agent import Agent, Denied, OutcomeUnknown, Refused, Unreachable, keys, mcp
from oneact.agent.mcp import call_tool
from oneact.protocol import tool
from tests.server.peers import Agent as Peer
from tests.server.visitor import Visitor
from tests.service.mcp.posting import Poster, messages
from tests.service.mcp.shelf import REVISIONS, Shelf, approve, pending, person, requests

A = {"path": "/a", "weight": 1.5}


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    found = Shelf(tmp_path, "fastmcp")
    with found.running():
        yield found


@pytest.fixture
def ada(shelf: Shelf) -> Visitor:
    return person(shelf)


@pytest.fixture
async def agent(shelf: Shelf, ada: Visitor, tmp_path: Path) -> AsyncIterator[Agent]:
    peer = Peer(ada.server)
    peer.register()
    ada.pair(peer)
    file = tmp_path / "agent.json"
    keys.save(file, keys.Pairing(shelf.issuers.issuer, peer.key, peer.client_id, peer.hint))
    async with await Agent.open(shelf.issuers.issuer, key_file=file) as found:
        yield found


@contextlib.asynccontextmanager
async def by_fastmcp(shelf: Shelf, revision: str) -> AsyncIterator[Any]:
    mode: Any = REVISIONS[revision]
    async with fastmcp.Client(StreamableHttpTransport(f"{shelf.resource}/mcp"), mode=mode) as client:
        yield client


@contextlib.asynccontextmanager
async def by_mcp(shelf: Shelf, revision: str) -> AsyncIterator[Any]:
    async with shelf.client(revision, None) as client:
        yield client


@dataclass
class Losing:
    """A client whose answers are lost, as many as it is told."""

    client: Any
    lost: int
    called: list[dict[str, str]] = field(default_factory=list)

    async def call_tool(self, name: str, arguments: dict[str, Any], meta: Any) -> Any:
        found = await self.client.call_tool(name, arguments, meta=meta)
        self.called.append(meta)
        if "oneact/authorization" in meta and self.lost > 0:
            self.lost -= 1
            raise ConnectionError
        return found


def wanting(agent: Agent, client: Any, shelf: Shelf, name: str = "write", arguments: dict[str, Any] = A) -> Any:
    return asyncio.ensure_future(call_tool(agent, client, name, arguments, service=shelf.resource))


@pytest.mark.parametrize("client", [by_fastmcp, by_mcp])
@pytest.mark.parametrize("revision", list(REVISIONS))
async def test_it_asks_waits_and_calls_with_the_token(
    shelf: Shelf, ada: Visitor, agent: Agent, client: Any, revision: str
) -> None:
    async with client(shelf, revision) as connected:
        call = wanting(agent, connected, shelf)
        await approve(shelf, ada)
        result = await call
    assert result.receipt.status == "executed"
    assert result.json()["structuredContent"] == {"result": "/a written"}
    assert shelf.written == [{"path": "/a", "text": "", "weight": 1.5, "account": "ada"}]


async def test_a_tool_without_a_guard_is_simply_called(shelf: Shelf, agent: Agent) -> None:
    async with by_mcp(shelf, "2026-07-28") as client:
        result = await call_tool(agent, client, "read", {"path": "/a"}, service=shelf.resource)
    assert result.receipt is None
    assert result.json()["content"][0]["text"] == "what stands in /a"


async def test_a_lost_answer_is_repeated_and_nothing_is_done_twice(shelf: Shelf, ada: Visitor, agent: Agent) -> None:
    async with by_mcp(shelf, "2026-07-28") as client:
        losing = Losing(client, 2)
        call = wanting(agent, losing, shelf)
        await approve(shelf, ada)
        assert (await call).json()["structuredContent"] == {"result": "/a written"}
    assert len(losing.called) == 4
    assert len(shelf.written) == 1
    assert requests(shelf) == []


async def test_a_denial_is_told(shelf: Shelf, ada: Visitor, agent: Agent) -> None:
    async with by_mcp(shelf, "2025-11-25") as client:
        call = wanting(agent, client, shelf)
        identifier = await asyncio.to_thread(pending, shelf)
        await asyncio.to_thread(lambda: ada.post("/requests/deny", requests=[identifier], message="No"))
        with pytest.raises(Denied, match="No"):
            await call
    assert shelf.written == []


async def test_a_tool_that_crashes_leaves_an_unknown_outcome(shelf: Shelf, ada: Visitor, agent: Agent) -> None:
    async with by_mcp(shelf, "2026-07-28") as client:
        call = wanting(agent, client, shelf, "crash", {"what": "all"})
        await approve(shelf, ada)
        with pytest.raises(OutcomeUnknown):
            await call
    assert len(shelf.written) == 1


@pytest.mark.parametrize(
    ("called", "arguments"),
    [("write", {"path": "/b"}), ("write", {"path": "/a", "weight": 2.5}), ("buy", {"title": "/a"})],
)
async def test_an_offer_for_another_call_is_refused(
    shelf: Shelf, agent: Agent, called: str, arguments: dict[str, Any]
) -> None:
    async with by_mcp(shelf, "2026-07-28") as client:

        class Other:
            async def call_tool(self, _: str, __: dict[str, Any], meta: Any) -> Any:
                return await client.call_tool(called, arguments, meta=meta)

        with pytest.raises(Refused) as refused:
            await wanting(agent, Other(), shelf)
    assert refused.value.reason == "offer_act"
    assert requests(shelf) == []


async def test_what_does_not_fit_is_refused(shelf: Shelf, agent: Agent) -> None:
    async with by_mcp(shelf, "2026-07-28") as client:
        with pytest.raises(Refused) as refused:
            await wanting(agent, client, shelf, arguments={"path": 7})
    assert refused.value.reason == "parameters_invalid"


@pytest.mark.parametrize(
    ("parameters", "arguments", "expected"),
    [
        ({"a": 1, "b": "x"}, {"a": 1}, True),
        ({"a": "1.5"}, {"a": 1.5}, True),
        ({"a": '{"x":[1,2]}'}, {"a": {"x": [1, 2]}}, True),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1}}, True),
        ({"arguments": '{"a":1,"b":2}'}, {"a": 1, "b": 2}, True),
        ({"arguments": "all"}, {"arguments": "all"}, True),
        ({}, {"a": 1}, False),
        ({"a": "1"}, {"a": True}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": [1, 2]}, {"a": [1]}, False),
        ({"a": "{"}, {"a": {}}, False),
        ({"arguments": '{"a":1}'}, {"a": 2}, False),
    ],
)
def test_an_offer_covers_what_is_called_or_does_not(
    parameters: dict[str, Any], arguments: dict[str, Any], *, expected: bool
) -> None:
    assert mcp._covers(parameters, arguments) is expected


@dataclass
class Posting:
    """A client that posts by itself and raises what HTTP refuses; it asks for offers by a header field of its own."""

    poster: Poster
    issuer: str
    status: list[int] = field(default_factory=list)

    async def call_tool(self, name: str, arguments: dict[str, Any], meta: dict[str, str]) -> Any:
        asking = {"Accept-Txn-Challenge": f'?1;as="{self.issuer}"'} if tool.ACCEPT in meta else {}
        answer = await self.poster.call(name, arguments, asking, meta if not asking else {})
        self.status.append(answer.status_code)
        answer.raise_for_status()
        return CallToolResult.model_validate(messages(answer)[-1]["result"])


@pytest.mark.parametrize("revision", list(REVISIONS))
async def test_an_offer_that_is_http_s_own_answer_is_understood_too(
    shelf: Shelf, ada: Visitor, agent: Agent, revision: str
) -> None:
    client = Posting(Poster(f"{shelf.resource}/mcp", revision), shelf.issuers.issuer)
    call = wanting(agent, client, shelf)
    await approve(shelf, ada)
    assert (await call).receipt.status == "executed"
    assert client.status == [401, 200]
    assert len(shelf.written) == 1


async def test_a_refusal_that_is_http_s_own_answer_is_told_by_its_reason(shelf: Shelf, agent: Agent) -> None:
    client = Posting(Poster(f"{shelf.resource}/mcp", "2026-07-28"), "http://elsewhere.example")
    with pytest.raises(Refused) as refused:
        await wanting(agent, client, shelf)
    assert refused.value.reason == "issuer_not_accepted"
    assert client.status == [401]


@pytest.mark.parametrize("body", [b"{}", b"not JSON", b'{"reason": "csrf"}', b'{"reason": "made up"}'])
async def test_an_answer_that_says_no_reason_of_its_status_is_a_lost_one(
    shelf: Shelf, agent: Agent, body: bytes
) -> None:
    called: list[str] = []

    class Odd:
        async def call_tool(self, name: str, _: dict[str, Any], meta: Any) -> Any:
            assert meta
            called.append(name)
            request = httpx.Request("POST", shelf.resource)
            httpx.Response(502, content=body, request=request).raise_for_status()

    with pytest.raises(Unreachable):
        await wanting(agent, Odd(), shelf)


async def test_a_result_that_says_no_does_not_look_like_success(shelf: Shelf, ada: Visitor, agent: Agent) -> None:
    async with by_fastmcp(shelf, "2026-07-28") as client:
        call = asyncio.ensure_future(call_tool(agent, client, "crash", {"what": "said"}, service=shelf.resource))
        await approve(shelf, ada)
        guarded = await call
        plain = await call_tool(agent, client, "read", {"no": "path"}, service=shelf.resource)
    assert guarded.receipt is not None
    assert (guarded.receipt.status, guarded.status) == ("failed", 500)
    assert (plain.receipt, plain.status) == (None, 500)
