"""docs/conformance.md runs as it stands, but for the ports, and names every option and every kind of row."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import typer

from oneact.cli.commands import app
from oneact.conformance.rows import ROWS
from tests.ports import free_port
from tests.service.test_docs import FILES
from tests.spec.literal import ROOT

TEXT = (ROOT / "docs" / "conformance.md").read_text("utf-8")
START, PARAMETERS, RUN = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)


def test_the_commands_run_as_they_stand(tmp_path: Path) -> None:
    ports = {"8500": str(free_port()), "8499": str(free_port())}
    (tmp_path / "air.py").write_text(FILES["air"])
    resource = f"http://localhost:{ports['8500']}"
    environment = {
        **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "AIR_URL": resource,
        "AIR_FOLDER": str(tmp_path / "var"), "COLUMNS": "120",
    }  # fmt: skip
    start, parameters, run = (
        re.sub("8500|8499", lambda found: ports[found[0]], text) for text in (START, PARAMETERS, RUN)
    )
    service = subprocess.Popen(
        ["bash", "-c", start.rstrip().removesuffix("&") + "--log-level critical"],
        cwd=tmp_path, env=environment, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(resource + "/.well-known/oauth-protected-resource")
        run += f" --listen 127.0.0.1:{ports['8499']}"
        script = parameters + run.replace("\n --listen", " --listen")
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    finally:
        os.killpg(service.pid, signal.SIGKILL)
        service.wait()
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{resource}, book_flight: " in done.stdout
    skipped = re.findall(r"^(\S+) .* skipped *$", done.stdout, re.MULTILINE)
    assert skipped == ["offer.12", "5.22", "5.23", "7.10"]


def wait_for(url: str) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError(f"{url} did not come up")


def test_every_option_is_named() -> None:
    command = typer.main.get_command(app).commands["conformance"]  # type: ignore[attr-defined]  # it is a group
    options = [option for found in command.params for option in found.opts if option.startswith("--")]
    assert options
    assert [option for option in options if f"`{option}`" not in TEXT] == []


def test_every_kind_of_row_is_named() -> None:
    table = TEXT.partition("| rows | are about |")[2].partition("\n\n")[0]
    words = {row.number.partition(".")[0] for row in ROWS} - {str(number) for number in range(2, 10)}
    assert [word for word in words if f"`{word}`" not in table] == []
