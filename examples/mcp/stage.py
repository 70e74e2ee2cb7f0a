"""The stage of the MCP demo: the npm filesystem server on a scratch folder, behind the proxy; either can be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

from examples.mcp.inspector import packaged
from examples.processes import SERVER_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER: Final = Path("var/demo-mcp")
FILES: Final = FOLDER / "files"
PORT: Final = os.environ.get("ONEACT_APPROVE_PORT", "8781")  # of the demo's approval server, which is none of yours
SERVER: Final = f"http://localhost:{PORT}"
_FILESYSTEM: Final = "@modelcontextprotocol/server-filesystem/dist/index.js"
_TRACED: Final = 'echo $$ > "$0"; exec "$@"'  # writes down its process id, then becomes the command
_POLICY: Final = """\
# Reading passes. What changes a file is not named here, so it needs an approval.
name: Files
tools:
  read_*: allow
  list_*: allow
  get_file_info: allow
  search_files: allow
  directory_tree: allow
  move_file: deny
  write_file:
    rule: approve
    intent: Write a file
    summary: Write {path}
    labels:
      path: File
      content: Its whole new content
"""


def entry(*options: str) -> dict[str, Any]:
    """Give what an MCP client's configuration file says of the server behind the proxy."""
    files = traced("upstream", packaged(_FILESYSTEM, str(FILES.resolve())))
    proxy = [sys.executable, "-m", "oneact.cli", "mcp-proxy", "--config", str(policy()), *options, "--", *files]
    command, *arguments = traced("proxy", proxy)
    return {"command": command, "args": arguments, "env": {**kept(), "PATH": os.environ["PATH"]}}


def kept() -> dict[str, str]:
    """Give the settings by which the proxy keeps what it has in the demo's folder."""
    return {"ONEACT_HOME": str((FOLDER / "home").resolve()), "ONEACT_APPROVE_PORT": PORT}


def start_page() -> str:
    """Give the address that `oneact mcp start` tells the person, and no program."""
    command = [sys.executable, "-m", "oneact.cli", "mcp", "start"]
    told = subprocess.run(command, env={**os.environ, **kept()}, capture_output=True, text=True, check=True)  # noqa: S603 - a command of this project
    return told.stdout.rpartition(": ")[2].strip()


def policy() -> Path:
    """Write the policy file."""
    file = (FOLDER / "policy.yaml").resolve()
    file.write_text(_POLICY, "utf-8")
    return file


def traced(name: str, command: list[str]) -> list[str]:
    """Give a command that is the given one, and whose process `kill` and `stop` find by a name."""
    return ["sh", "-c", _TRACED, str((FOLDER / f"{name}.pid").resolve()), *command]


def signalled(name: str, number: signal.Signals) -> None:
    """Send a signal to a traced process."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(int((FOLDER / f"{name}.pid").read_text("utf-8")), number)


@contextlib.contextmanager
def ended_after() -> Iterator[None]:
    """End the approval server, which the first proxy starts and which outlives it, with the block."""
    try:
        yield
    finally:
        file = FOLDER / "home" / "approve" / "pid"
        if file.exists():
            _end(int(file.read_text("utf-8")))


def _end(process: int) -> None:
    """End a process that is none of ours to wait for: it is asked to, and after some seconds made to."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
        for _ in range(50):
            time.sleep(0.1)
            os.kill(process, 0)
        os.kill(process, signal.SIGKILL)


def until(found: Callable[[], object], what: str, seconds: float = 20) -> None:
    """Wait until a function gives something true; raises RuntimeError where it does not."""
    end = time.monotonic() + seconds
    while not found():
        if time.monotonic() > end:
            raise RuntimeError(f"waited in vain: {what}")
        time.sleep(0.02)


def answers() -> bool:
    """Tell whether the approval server answers."""
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(SERVER + SERVER_PATH).is_success
    return False


def spent() -> int:
    """Count what the proxy has begun to execute."""
    return sum(count for database in _kept() for (count,) in database.execute("SELECT count(*) FROM spends"))


def tampered(old: str, new: str) -> None:
    """Change a text in the calls that the proxy holds, as somebody could who has its files."""
    for database in _kept():
        with database:
            database.execute("UPDATE held SET submission = replace(submission, ?, ?)", (old, new))


def _kept() -> Iterator[sqlite3.Connection]:
    """Open each database of the proxy's, one for each that runs at once."""
    for file in (FOLDER / "home" / "mcp").rglob("*.db"):
        with contextlib.closing(sqlite3.connect(file, timeout=10)) as database:
            yield database
