"""The demo's three processes: approval server, airline, agent. They end with the demo."""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVER: Final = os.environ.get("AIRLINE_APPROVAL_SERVER", "http://localhost:8400")
AIRLINE: Final = os.environ.get("AIRLINE_URL", "http://localhost:8500")
_START: Final = 30.0
_PATHS: Final = {
    "server": "/.well-known/oauth-authorization-server",
    "airline": "/.well-known/oauth-protected-resource",
}


class Lines:
    """The lines that a process prints, as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line.rstrip("\n"))

    def next(self, prefix: str, seconds: float = 60) -> str:
        """Give the rest of the next line that begins with `prefix`; raises RuntimeError where none comes."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(queue.Empty):
                line = self._lines.get(timeout=0.2)
                if line.startswith(prefix):
                    return line.removeprefix(prefix).strip()
            if self._process.poll() is not None and self._lines.empty():
                break
        raise RuntimeError(f"the agent did not say {prefix!r}")


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Lines]:
    """Run all three on SQLite files in `folder`, and give what the agent prints."""
    environment = {
        **os.environ,
        "ONEACT_PUBLIC_URL": SERVER,
        "ONEACT_PORT": SERVER.rpartition(":")[2],
        "ONEACT_DATABASE": str(folder / "server.db"),
        "ONEACT_KEY_FILE": str(folder / "server.jwk"),
        "AIRLINE_URL": AIRLINE,
        "AIRLINE_APPROVAL_SERVER": SERVER,
        "AIRLINE_FOLDER": str(folder / "airline"),
        "DEMO_STOLEN_KEY": str(folder / "server.jwk"),
        "DEMO_AGENT_FILE": str(folder / "agent.json"),
        "PYTHONUNBUFFERED": "1",
    }
    port = AIRLINE.rpartition(":")[2]
    commands = {
        "server": ["-m", "oneact.cli", "serve"],
        "airline": ["-m", "uvicorn", "examples.airline.app:app", "--port", port, "--log-level", "warning"],
    }
    addresses = {"server": SERVER, "airline": AIRLINE}
    with contextlib.ExitStack() as stack:
        for name, command in commands.items():
            check_free(addresses[name])
            log = folder / f"{name}.log"
            started = stack.enter_context(process(command, environment, stack.enter_context(log.open("w")).fileno()))
            wait_for(addresses[name] + _PATHS[name], started, log)
        agent = stack.enter_context(process(["-m", "examples.airline.agent"], environment, subprocess.PIPE))
        yield Lines(agent)


@contextlib.contextmanager
def process(
    command: list[str], environment: dict[str, str], output: int, folder: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run a command of this project in `folder`, for as long as the block runs."""
    running = subprocess.Popen(  # noqa: S603 - this very project, by its own interpreter
        [sys.executable, *command], env=environment, stdout=output, stderr=subprocess.STDOUT, text=True, cwd=folder
    )
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def check_free(address: str) -> None:
    """Raise RuntimeError where something answers at an address of the demo: it would be taken for the demo's own."""
    parts = urlsplit(address)
    with contextlib.suppress(OSError), socket.create_connection((parts.hostname or "", parts.port or 0), 1):
        raise RuntimeError(f"something else listens on {address} already; end it first")


def wait_for(url: str, process: subprocess.Popen[str], log: Path) -> None:
    """Wait until a process answers; raises RuntimeError where it has ended or does not answer in 30 seconds."""
    until = time.monotonic() + _START
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url).is_success and process.poll() is None:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{url} did not come up; see {log}")
