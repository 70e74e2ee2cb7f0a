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

from examples.mcp.inspector import MODULES, node

from tests.ports import free_port
from tests.spec.literal import ROOT

# The released runner knows the revision of 2025; the one that knows the next has no release yet.
SUITES = {
    "2025-11-25": ("@modelcontextprotocol/conformance", "--suite", "active"),
    "2026-07-28": ("conformance-2026", "--requirements", "2026-07-28"),
}
# What the runner adds on its own to what a revision asks of every server: extensions, and what is still pending.
UNSCORED = ("tasks-", "json-schema-2020-12", "http-header-validation", "http-custom-header-server-validation")
Verdict = dict[str, dict[str, str]]  # scenario to check to its status


def judged(url: str, revision: str, folder: Path) -> Verdict:
    """Give what the runner says of a server in each scenario that the revision asks of all."""
    package, *options = SUITES[revision]
    command = [node(), str(MODULES / package / "dist" / "index.js"), "server", "--url", url, *options, "-o", folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=_environment())
    verdict = {}
    for file in sorted(folder.glob("server-*/checks.json")):
        scenario = re.sub(r"^server-(.*)-\d{4}-\d\d-\d\dT.*$", r"\1", file.parent.name)
        checks = json.loads(file.read_text("utf-8"))
        if not scenario.startswith(UNSCORED):
            verdict[scenario] = {check["id"]: _status(check) for check in checks if check["status"] != "INFO"}
    assert verdict, done.stdout + done.stderr
    return verdict


def passed(verdict: Verdict) -> list[str]:
    """Give the scenarios in which something was checked and nothing was found wrong."""
    return sorted(name for name, checks in verdict.items() if checks and set(checks.values()) == {"SUCCESS"})


def wrong(verdict: Verdict) -> list[str]:
    """Give what was found wrong, one line each, for a reader."""
    return [
        f"{name} {check}: {status}"
        for name, checks in verdict.items()
        for check, status in checks.items()
        if status != "SUCCESS"
    ]


@contextlib.contextmanager
def served(folder: Path, *command: str) -> Iterator[str]:
    """Run `python -m command PORT` for the time of the block, once it listens; give the address of its endpoint."""
    port, log = free_port(), folder / "served.log"
    with (
        log.open("w") as out,
        subprocess.Popen(
            [sys.executable, "-m", *command, str(port)], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            _listening(port, process, log)
            yield f"http://127.0.0.1:{port}/mcp"
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
