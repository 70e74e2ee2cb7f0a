"""The demo's three processes: approval server, airline, agent. They end with the demo."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from examples import processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from examples.processes import Lines

SERVER: Final = os.environ.get("AIRLINE_APPROVAL_SERVER", "http://localhost:8400")
AIRLINE: Final = os.environ.get("AIRLINE_URL", "http://localhost:8500")


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Lines]:
    """Run all three on SQLite files in `folder`, and give what the agent prints."""
    environment = {
        **processes.settings_of_server(SERVER, folder),
        "AIRLINE_URL": AIRLINE,
        "AIRLINE_APPROVAL_SERVER": SERVER,
        "AIRLINE_FOLDER": str(folder / "airline"),
        "DEMO_STOLEN_KEY": str(folder / "server.jwk"),
        "DEMO_AGENT_FILE": str(folder / "agent.json"),
    }
    port = AIRLINE.rpartition(":")[2]
    serve = ("-m", "uvicorn", "examples.airline.app:app", "--port", port, "--log-level", "warning")
    parts = [processes.approval_server(SERVER), processes.Part("airline", serve, AIRLINE)]
    with (
        processes.running(parts, environment, folder),
        processes.speaking(("-m", "examples.airline.agent"), environment) as lines,
    ):
        yield lines
