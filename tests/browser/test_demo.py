from __future__ import annotations

import os
import re
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from examples.airline import processes

from tests.ports import free_port
from tests.spec.literal import ROOT


def test_the_demo_plays_to_its_end_by_itself() -> None:
    """The three processes of `make demo HEADLESS=1`; its exit status says whether the one booking stands."""
    server, airline = (f"http://localhost:{free_port()}" for _ in range(2))
    addresses = {"AIRLINE_APPROVAL_SERVER": server, "AIRLINE_URL": airline}
    done = subprocess.run(
        [sys.executable, "-m", "examples.airline.demo"],
        cwd=ROOT, env={**os.environ, **addresses, "HEADLESS": "1"}, capture_output=True, text=True, timeout=150,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    refused = set(re.findall(r"refused by check (\d+)", done.stdout, re.IGNORECASE))
    assert refused == {"6", "7", "10", "11"}
    assert "holds 1 booking" in done.stdout


def test_the_deploy_demo_plays_to_its_end_and_the_commands_for_who_decides_run_on_it(tmp_path: Path) -> None:
    """`make demo-deploy HEADLESS=1`, whose exit status says whether the one approved deployment stands."""
    server, deploy = (f"http://localhost:{free_port()}" for _ in range(2))
    addresses = {"ONEACT_SERVER": server, "DEPLOY_URL": deploy}
    done = subprocess.run(
        [sys.executable, "-m", "examples.deploy.demo"],
        cwd=ROOT, env={**os.environ, **addresses, "HEADLESS": "1"}, capture_output=True, text=True, timeout=110,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"exit status (\d)", done.stdout) == ["3", "0", "0", "5"]
    assert "holds 1 deployment" in done.stdout
    with sqlite3.connect(ROOT / "var" / "demo-deploy" / "server.db") as database:
        [[request]] = database.execute("SELECT request_id FROM receipts WHERE status = 'executed'")
    database.close()
    commands = re.findall(
        r"^  (oneact .*?)(?: +#.*)?$", (ROOT / "docs" / "why-adopt.md").read_text("utf-8"), re.MULTILINE
    )
    assert len(commands) == 3
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for command in commands:
        typed = command.replace("REQUEST", request).replace("act.json", str(tmp_path / "act.json"))
        shown = subprocess.run(["sh", "-c", typed], cwd=ROOT, env={**os.environ, "PATH": path}, check=False)
        assert shown.returncode == 0, typed


def test_the_demo_takes_no_one_elses_server_for_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setattr(processes, "SERVER", f"http://localhost:{other.getsockname()[1]}")
        with pytest.raises(RuntimeError, match="something else listens"), processes.running(tmp_path):
            pass


def test_a_process_of_the_demo_that_dies_at_its_start_is_named_by_its_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processes, "SERVER", f"http://localhost:{free_port()}")
    (tmp_path / "server.db").mkdir()
    with pytest.raises(RuntimeError, match=re.escape(str(tmp_path / "server.log"))), processes.running(tmp_path):
        pass
