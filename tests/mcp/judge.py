"""The official conformance runner, asked about a server over streamable HTTP."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from examples.mcp.inspector import packaged

from tests.ports import free_port
from tests.spec.literal import ROOT

# The released runner knows the revision of 2025; the one that knows the next has no release yet.
SUITES = {
    "2025-11-25": ("@modelcontextprotocol/conformance", "--suite", "all"),
    "2026-07-28": ("conformance-2026", "--requirements", "2026-07-28"),
}
# One of the tools that the runner calls needs an approval, the others are allowed.
POLICY = {
    "test_simple_text": "approve",
    **dict.fromkeys(("test_*", "json_schema_*", "greet", "slow_*", "confirm_*"), "allow"),
}
Verdict = dict[str, dict[str, str]]  # scenario to check to its status


def judged(url: str, revision: str, folder: Path) -> Verdict:
    """Give what the runner says of a server in each of its scenarios, those of extensions included."""
    package, *options = SUITES[revision]
    command = packaged(f"{package}/dist/index.js", "server", "--url", url, *options, "-o", str(folder))
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=_environment())
    verdict = {}
    for file in sorted(folder.glob("server-*/checks.json")):
        scenario = re.sub(r"^server-(.*)-\d{4}-\d\d-\d\dT.*$", r"\1", file.parent.name)
        checks = json.loads(file.read_text("utf-8"))
        verdict[scenario] = {check["id"]: _status(check) for check in checks if check["status"] != "INFO"}
    assert verdict, done.stdout + done.stderr
    return verdict


def passed(verdict: Verdict) -> set[str]:
    """Give the scenarios in which something was checked and nothing was found wrong."""
    return {name for name, checks in verdict.items() if checks and set(checks.values()) == {"SUCCESS"}}


def lost(plain: Verdict, ours: Verdict) -> list[str]:
    """Give each check that the plain server passes and ours does not, a line each."""
    return [
        f"{name} {check}: {ours.get(name, {}).get(check, 'not checked')}"
        for name, checks in plain.items()
        for check, status in checks.items()
        if status == "SUCCESS" != ours.get(name, {}).get(check)
    ]


@contextlib.contextmanager
def served(folder: Path, *command: str) -> Iterator[str]:
    """Run `python -m command PORT` for the time of the block; give the address of its endpoint."""
    port = free_port()
    with running(port, folder / "served.log", *command, str(port)):
        yield f"http://127.0.0.1:{port}/mcp"


@contextlib.contextmanager
def running(port: int, log: Path, *command: str, **environment: str) -> Iterator[None]:
    """Run `python -m command` for the time of the block, once it listens on a port."""
    with (
        log.open("w") as out,
        subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env={**os.environ, **environment}, stdout=out, stderr=out
        ) as process,
    ):
        try:
            _listening(port, process, log)
            yield
        finally:
            process.terminate()


def _listening(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text("utf-8"))


def _status(check: dict[str, str]) -> str:
    told = check.get("errorMessage")
    return f"{check['status']}: {told}" if told else check["status"]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
