"""A tool server over HTTP whose answer is small on the way and fills the memory of whoever unpacks it."""

from __future__ import annotations

import asyncio
import gzip
import http.server
import threading
from collections.abc import Iterator

import pytest

from oneact.gateway.mcp.messages import Lost
from oneact.gateway.mcp.remote import Remote
from tests.ports import free_port

ANSWER = b'{"jsonrpc":"2.0","id":"a","result":{}}'


class Packed(http.server.BaseHTTPRequestHandler):
    """Answers what it was asked, compressed whether or not that was wanted."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        packed = gzip.compress(ANSWER + b" " * 1024)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(packed)))
        self.end_headers()
        self.wfile.write(packed)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Packed) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/mcp"
        server.shutdown()
        thread.join()


async def test_a_compressed_answer_is_lost_and_not_unpacked(address: str) -> None:
    remote = await Remote.open(address, {"Accept-Encoding": "gzip"})
    await remote.send({"jsonrpc": "2.0", "id": "a", "method": "ping"})
    try:
        found = await asyncio.wait_for(remote.receive(), 20)
        assert remote.is_lost(found)
    except Lost:
        pass
    finally:
        await remote.close()
