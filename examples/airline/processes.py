"""The demo's three processes: approval server, airline, agent. They end with the demo."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVER: Final = "http://localhost:8400"
AIRLINE: Final = "http://localhost:8500"
_START: Final = 30.0


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
    with contextlib.ExitStack() as stack:
        for name, command in commands.items():
            log = stack.enter_context((folder / f"{name}.log").open("w"))
            stack.enter_context(_process(command, environment, log.fileno()))
        _wait_for(SERVER + "/.well-known/oauth-authorization-server")
        _wait_for(AIRLINE + "/.well-known/oauth-protected-resource")
        agent = stack.enter_context(_process(["-m", "examples.airline.agent"], environment, subprocess.PIPE))
        yield Lines(agent)


@contextlib.contextmanager
def _process(command: list[str], environment: dict[str, str], output: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(  # noqa: S603 - this very project, by its own interpreter
        [sys.executable, *command], env=environment, stdout=output, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url: str) -> None:
    until = time.monotonic() + _START
    while time.monotonic() < until:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url).is_success:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{url} did not come up; is its port taken? See the logs beside the databases.")
