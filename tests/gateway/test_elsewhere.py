"""A proxy whose person and approval server reach it at another address than its own, as over a reverse proxy."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import pytest

from oneact.protocol import receipt
from oneact.protocol.tool import RECEIPT
from tests.gateway.playing import Play
from tests.gateway.wire import wired
from tests.ports import free_port

NOTE = {"name": "a", "text": "b"}


@pytest.fixture
def elsewhere(play: Play) -> Play:
    """The approval server is at `localhost`, the proxy at `127.0.0.1`, on a port that is not its own."""
    play.options += ["--public-url", f"http://127.0.0.1:{free_port()}"]
    return play


@contextlib.asynccontextmanager
async def leading(play: Play) -> AsyncIterator[None]:
    """Lead from the public address to where the proxy says, octet by octet."""

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while octets := await source.read(2**16):
                target.write(octets)
                await target.drain()
        target.close()

    async def lead(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        [port] = re.findall(r"has to lead to http://localhost:(\d+)", play.errors)
        far_source, far_target = await asyncio.open_connection("127.0.0.1", int(port))
        await asyncio.gather(pump(source, far_target), pump(far_source, target))

    port = int(play.options[-1].rpartition(":")[2])
    async with await asyncio.start_server(lead, "127.0.0.1", port):
        yield


async def test_a_proxy_is_linked_and_its_calls_approved_at_its_public_address(elsewhere: Play) -> None:
    public = elsewhere.options[-1]
    async with leading(elsewhere), elsewhere.client() as client:
        assert await elsewhere.link(client) == public
        async with elsewhere.deciding("approve"):
            result = await client.call_tool("write_note", NOTE)
    told = receipt.parse((result.meta or {})[RECEIPT])[0]
    assert (told.status, told.iss) == ("executed", public)
    assert elsewhere.calls == ["write a b 1"]
    assert len(elsewhere.server.execute("SELECT 1 FROM receipts")) == 1


async def test_one_address_is_of_one_proxy_at_a_time(elsewhere: Play) -> None:
    async with wired(elsewhere) as one:
        await one.hello()
        async with wired(elsewhere) as two:
            assert await two.process.wait() == 2
    assert "no more than 1 " in elsewhere.errors
