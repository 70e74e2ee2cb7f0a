"""A tool server that reads nothing of what it is sent, with a client that would be heard no more."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from oneact.gateway.mcp import upstream
from oneact.gateway.mcp.lines import Child
from oneact.gateway.mcp.messages import Lost, Message, Unsent, request
from oneact.gateway.mcp.upstream import Upstream

LONG = "x" * 1024 * 1024


async def test_a_server_that_takes_no_messages_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "TAKES", 0.3)
    heard: list[Message] = []

    async def deliver(message: Message) -> None:
        heard.append(message)

    async def connect() -> Any:
        return await Child.start(["sleep", "600"], os.environ)

    server = Upstream(connect, deliver)
    try:
        with pytest.raises(Lost, match="takes no messages"):
            await asyncio.wait_for(server.pass_on(request("1", "ping", {"a": LONG})), 20)
        with pytest.raises(Lost) as lost:
            await asyncio.wait_for(server.ask("tools/call", {"a": LONG}, 60), 20)
        assert not isinstance(lost.value, Unsent)  # of an approved call nobody knows what became
    finally:
        await server.close()
    assert [message["id"] for message in heard] == ["1"]
