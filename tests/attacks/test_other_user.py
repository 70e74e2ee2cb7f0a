"""Another user of the machine: who sees the commands of all, so the start page's address, and listens at free ports."""

from __future__ import annotations

import http.client
import http.server
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import httpx
import pytest

from oneact.gateway.mcp import owners, personal
from oneact.server import addresses
from tests.ports import free_port

NOBODY = 65534
TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2243 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 100 0 0 10 0
   1: 0100007F:8A01 0100007F:2243 01 00000000:00000000 02:00000000 00000000  1001        0 2 2 0 20 4 30 10 -1
"""


def of_another() -> socket.socket:
    """Give a socket as another user would have made it."""
    if os.getuid() != 0:
        pytest.skip("only root can be somebody else")
    os.seteuid(NOBODY)
    try:
        return socket.socket()
    finally:
        os.seteuid(0)


def status(start: str, connected: socket.socket, method: str) -> int:
    parts = urlsplit(start)
    with connected:
        connected.connect(("127.0.0.1", parts.port))
        connection = http.client.HTTPConnection("localhost", parts.port or 0)
        connection.sock = connected
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, f"{parts.path}?{parts.query}", f"secret={parts.query}", headers)
        return connection.getresponse().status


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_has_seen_the_start_pages_address_cannot_use_it(start: str, method: str) -> None:
    assert status(start, of_another(), method) == 403
    assert status(start, socket.socket(), "POST") == 303


class Copy(http.server.BaseHTTPRequestHandler):
    """Answers as the person's approval server did."""

    answers: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        body = self.answers.get(self.path, b"")
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_the_keys_of_the_persons_approval_server_do_not_make_another_listener_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEACT_HOME", str(tmp_path / "home"))
    port = free_port()
    monkeypatch.setenv("ONEACT_APPROVE_PORT", str(port))
    address = personal.ensure()
    paths = ("/.well-known/oauth-authorization-server", addresses.JWKS)
    Copy.answers = {path: httpx.get(address + path).raise_for_status().content for path in paths}
    end(int((tmp_path / "home" / "approve" / "pid").read_text()), port)
    squatting = of_another()
    squatting.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    squatting.bind(("127.0.0.1", port))
    squatting.listen()
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Copy, bind_and_activate=False) as copy:
        copy.socket.close()
        copy.socket = squatting
        thread = threading.Thread(target=copy.serve_forever, args=(0.05,))
        thread.start()
        try:
            assert personal.is_taken(address)
            with pytest.raises(OSError, match="cannot be started"):
                personal.ensure()
        finally:
            copy.shutdown()
            thread.join()


def end(pid: int, port: int) -> None:
    """End the approval server, and wait until its port is free."""
    os.kill(pid, signal.SIGKILL)
    while owners.listeners(port):
        time.sleep(0.02)


def test_the_systems_table_says_whose_each_end_is() -> None:
    assert list(owners.parse(TABLE)) == [(8771, 0, "0A", 1000), (35329, 8771, "01", 1001)]
    assert not list(owners.parse(""))
