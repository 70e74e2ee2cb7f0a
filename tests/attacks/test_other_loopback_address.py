"""Another user of the machine at `::1`, which a browser asks first for what is served as `localhost` at 127.0.0.1."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from oneact import loopback
from oneact.agent.integrations import door as functions
from oneact.gateway.mcp import door, personal
from tests.ports import free_port


def squat(port: int) -> socket.socket:
    """Listen as anyone may."""
    found = socket.socket(socket.AF_INET6)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((loopback.IPV6, port))
        found.listen()
    except OSError:
        found.close()
        raise
    return found


@pytest.fixture(autouse=True)
def second_address() -> None:
    try:
        squat(0).close()
    except OSError:
        pytest.skip("this machine has no ::1")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ONEACT_HOME", str(tmp_path))
    monkeypatch.setenv("ONEACT_APPROVE_PORT", str(free_port()))
    yield tmp_path
    pid = tmp_path / "approve" / "pid"
    if pid.exists():
        subprocess.run(["kill", "-9", pid.read_text()], check=False, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("listen", [door.listen, functions.bound])
def test_nobody_else_gets_the_port_of_a_page_with_a_secret(listen: object) -> None:
    assert callable(listen)
    port = free_port()
    with listen(port), pytest.raises(OSError, match="in use"):
        squat(port)
    squat(port).close()


def test_a_port_that_somebody_has_there_is_taken() -> None:
    port = free_port()
    with squat(port), pytest.raises(OSError, match="taken"):
        door.listen(port)


@pytest.mark.usefixtures("home")
def test_nobody_else_gets_the_port_of_the_persons_approval_server() -> None:
    port = int(personal.ensure().rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        squat(port)
    assert httpx.get(f"http://localhost:{port}/").status_code < 500


def test_an_approval_server_does_not_start_beside_somebody_else(home: Path) -> None:
    port = os.environ["ONEACT_APPROVE_PORT"]
    command = [sys.executable, "-m", "oneact.cli", "serve", "--port", port, "--public-url", f"http://localhost:{port}"]
    with squat(int(port)):
        ended = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert "is taken" in ended.stderr
