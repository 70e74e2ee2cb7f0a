"""Processes of an example: they start one after the other, each once the one before answers, and end with the block."""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_START: Final = 30.0
SERVER_PATH: Final = "/.well-known/oauth-authorization-server"
SERVICE_PATH: Final = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True, slots=True)
class Part:
    """A process that serves at `address`; it is up once `path` there answers. Its words go into `<name>.log`."""

    name: str
    command: tuple[str, ...]
    address: str
    path: str = SERVICE_PATH


def approval_server(address: str) -> Part:
    """Give the approval server of an example."""
    return Part("server", ("-m", "oneact.cli", "serve"), address, SERVER_PATH)


def settings_of_server(address: str, folder: Path) -> dict[str, str]:
    """Give the settings of an approval server that keeps all it has in `folder`."""
    return {
        "ONEACT_PUBLIC_URL": address,
        "ONEACT_PORT": address.rpartition(":")[2],
        "ONEACT_DATABASE": str(folder / "server.db"),
        "ONEACT_KEY_FILE": str(folder / "server.jwk"),
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

    def end(self) -> int:
        """Wait for the process's end and give its exit status."""
        return self._process.wait(60)


@contextlib.contextmanager
def running(parts: list[Part], environment: Mapping[str, str], folder: Path) -> Iterator[None]:
    """Run the parts for the time of the block; raises RuntimeError where one does not come up."""
    with contextlib.ExitStack() as stack:
        for part in parts:
            check_free(part.address)
            log = folder / f"{part.name}.log"
            output = stack.enter_context(log.open("w")).fileno()
            started = stack.enter_context(process(part.command, environment, output))
            wait_for(part.address + part.path, started, log)
        yield


@contextlib.contextmanager
def speaking(command: tuple[str, ...], environment: Mapping[str, str]) -> Iterator[Lines]:
    """Run a process for the time of the block, and give what it prints."""
    with process(command, environment, subprocess.PIPE) as started:
        yield Lines(started)


@contextlib.contextmanager
def process(
    command: Sequence[str], environment: Mapping[str, str], output: int, folder: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run a command of this project in `folder`, for as long as the block runs."""
    started = subprocess.Popen(  # noqa: S603 - this very project, by its own interpreter
        [sys.executable, *command],
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
    )
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


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
