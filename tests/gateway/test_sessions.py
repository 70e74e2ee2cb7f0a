"""Clients over HTTP that leave without a word: those that come later are served all the same."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import httpx
import pytest

from oneact.gateway.mcp import sessions
from tests.gateway.playing import Play
from tests.gateway.test_http import Listening, remote

HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "gone", "version": "1"}},
}  # fmt: skip
PING = {"jsonrpc": "2.0", "id": 2, "method": "ping"}


@pytest.fixture
def before_one(play: Play) -> Iterator[Listening]:
    """A proxy whose sessions share one server."""
    with remote(play) as address:
        play.options += ["--url", address]
        play.upstream = []
        with contextlib.closing(Listening(play)) as found:
            yield found


async def test_a_client_that_comes_after_many_that_left_takes_the_place_of_the_one_longest_silent(
    before_one: Listening,
) -> None:
    headers = {"Authorization": f"Bearer {before_one.secret}", "Accept": "application/json, text/event-stream"}
    async with before_one.client("legacy") as staying, httpx.AsyncClient(headers=headers) as gone:
        left = []
        for _ in range(sessions.MOST + 1):
            answer = await gone.post(before_one.url, json=HELLO)
            assert answer.status_code == 200, answer.text
            left.append(answer.headers["mcp-session-id"])
        ended = await gone.post(before_one.url, json=PING, headers={"mcp-session-id": left[0]})
        assert ended.status_code == 404
        assert await staying.list_tools()
