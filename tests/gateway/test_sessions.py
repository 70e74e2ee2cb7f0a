"""Clients over HTTP that leave without a word: those that come later are served all the same."""

from __future__ import annotations

import contextlib

import httpx
from fastmcp import Client

from oneact.gateway.mcp import sessions
from tests.gateway.test_http import Listening, listening  # noqa: F401 - a fixture

HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "gone", "version": "1"}},
}  # fmt: skip


async def test_a_client_that_comes_after_many_that_left_takes_the_place_of_the_one_longest_silent(
    play: Play,
    listening: Listening,  # noqa: F811 - the fixture
) -> None:
    headers = {"Authorization": f"Bearer {listening.secret}", "Accept": "application/json, text/event-stream"}
    async with contextlib.AsyncExitStack() as stack:
        staying: Client = await stack.enter_async_context(listening.client("legacy"))
        left = []
        async with httpx.AsyncClient(headers=headers) as gone:
            for _ in range(sessions.MOST + 1):
                answer = await gone.post(listening.url, json=HELLO)
                assert answer.status_code == 200
                left.append(answer.headers["mcp-session-id"])
            ended = await gone.post(
                listening.url, json={**HELLO, "method": "ping"}, headers={"mcp-session-id": left[0]}
            )
        assert ended.status_code == 404
        assert await staying.list_tools()
