"""Airlines with one fault each, in processes of their own: forked from one that has everything loaded already."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import uvicorn

from oneact.service import LocalAccount
from tests.conformance.breaking import Ground
from tests.conformance.broken import BESIDE, FAULTS, OTHERS
from tests.service.airline import Airline

SESSION = {"air": "alice"}
OTHER_ISSUER = "http://localhost:1"


def account(request: Any) -> LocalAccount | None:
    """Give the account that has just signed in with the session's cookie, whichever framework's request this is."""
    cookies = getattr(request, "cookies", None) or getattr(request, "COOKIES", None) or {}
    named = cookies.get("air") or (request.cookie("air") if hasattr(request, "cookie") else None)
    return LocalAccount("alice", "Alice", int(time.time())) if named == SESSION["air"] else None


def airline(kind: str, port: int, issuer: str, folder: Path, **more: Any) -> Airline:
    """Give an airline in its test mode: the played issuer is among those that it accepts."""
    return Airline(kind, port, issuer, folder, **{"account": account, "issuers": [issuer, OTHER_ISSUER], **more})


class Workshop:
    """The process that has everything loaded; `start` forks one service off it."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.conformance.serving"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        assert self._process.returncode == 0

    def start(self, kind: str, row: str, issuer: str, folder: Path) -> tuple[int, str]:
        """Start a service with the fault of a row; give its process and its identifier."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([kind, row, issuer, str(folder)]) + "\n")
        self._process.stdin.flush()
        pid, port = json.loads(self._process.stdout.readline())
        return int(pid), f"http://localhost:{port}"


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the services: they are ended by the tests
    for line in sys.stdin:
        kind, row, issuer, folder = json.loads(line)
        listening = socket.create_server(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        pid = os.fork()
        if pid == 0:
            serve(kind, row, issuer, Path(folder), listening)
            os._exit(0)
        listening.close()
        sys.stdout.write(json.dumps([pid, port]) + "\n")
        sys.stdout.flush()


def serve(kind: str, row: str, issuer: str, folder: Path, listening: socket.socket) -> None:
    ground = Ground(issuer)
    (FAULTS | BESIDE | OTHERS)[row](ground)
    made = airline(kind, listening.getsockname()[1], issuer, folder)
    config = uvicorn.Config(ground.wrap(made.app), log_level="critical", ws="none")
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
