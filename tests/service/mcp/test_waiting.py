"""Programs without a key: a call is held, its person decides, the program waits or comes back."""

from __future__ import annotations

import asyncio

from tests.server.visitor import Visitor
from tests.service.mcp.shelf import Shelf, approve, meta, text


async def test_hello(shelf: Shelf, ada: Visitor, revision: str) -> None:
    async with shelf.client(revision) as client:
        print((await client.list_tools()).tools)
        print(await client.call_tool("read", {"path": "/a"}))
        task = asyncio.ensure_future(client.call_tool("write", {"path": "/a"}))
        await approve(shelf, ada)
        print(await task)
        print(shelf.written)
