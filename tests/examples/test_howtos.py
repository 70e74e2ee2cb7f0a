"""The commands of the how-tos start what they show, typed in an empty folder beside the page's files."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.ports import free_port
from tests.spec.literal import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = {"flask": "8600", "django": "8600", "service": "8500"}
NAMED = r"```python\n# ([\w/]+\.py)\n"
INSTALLED = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}


def text_of(page: str) -> str:
    return (ROOT / "docs" / f"{page}.md").read_text("utf-8")


def settle_in(page: str, folder: Path) -> None:
    """Write the files of a page down where somebody works who has nothing else."""
    for name, body in re.findall(NAMED + "(.*?)```", text_of(page), re.DOTALL):
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(body)


@contextlib.contextmanager
def typed(script: str, folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Type commands, and end at last whatever they have started."""
    with (folder / "said").open("w") as said, subprocess.Popen(
        ["bash", "-e", "-c", script],
        cwd=folder, env=environment, stdout=said, stderr=said, text=True, start_new_session=True,
    ) as shell:  # fmt: skip
        try:
            yield shell
        finally:
            os.killpg(shell.pid, signal.SIGKILL)


def answer(url: str, folder: Path) -> httpx.Response:
    """Give what an address answers once somebody listens there."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(url, trust_env=False)
        time.sleep(0.05)
    raise AssertionError(f"{url} did not come up: {(folder / 'said').read_text()}")


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_start_the_service_and_the_agent_finds_its_action(page: str, tmp_path: Path) -> None:
    settle_in(page, tmp_path)
    ports = {"8400": str(free_port()), PAGES[page]: str(free_port())}
    server, service = (f"http://localhost:{port}" for port in ports.values())
    environment = {
        **INSTALLED, "ONEACT_HOME": str(tmp_path / "home"), "ONEACT_SERVER": server,
        "ONEACT_PUBLIC_URL": server, "ONEACT_PORT": ports["8400"],
        "AIR_URL": service, "NOTES_URL": service, "AIR_APPROVAL_SERVER": server, "NOTES_APPROVAL_SERVER": server,
    }  # fmt: skip
    start, ask = (
        re.sub("|".join(ports), lambda found: ports[found[0]], block)
        for block in re.findall(r"```sh\n(.*?)```", text_of(page), re.DOTALL)[:2]
    )
    with typed(start, tmp_path, environment):
        published = answer(service + "/oneact/actions", tmp_path).json()["actions"]
        assert answer(service + "/login", tmp_path).headers["location"].endswith("/oneact/link")
        answer(server, tmp_path)
        action = re.findall(rf"^oneact agent act {service} (\w+) '", ask)[0]
        assert action in {found["action"] for found in published}
        with subprocess.Popen(
            ["bash", "-c", "exec " + ask], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as agent:
            assert agent.stdout is not None
            assert f"open {server}/pair and type " in agent.stdout.readline()
            agent.kill()


def test_the_site_with_a_form_is_served_as_its_page_says(tmp_path: Path) -> None:
    settle_in("forms", tmp_path)
    [start] = re.findall(r"^uvicorn .*$", text_of("forms"), re.MULTILINE)
    port = str(free_port())
    with typed(f"{start} --port {port}", tmp_path, {**INSTALLED, "PORT": port}):
        assert "action=/book" in answer(f"http://localhost:{port}/", tmp_path).text


def test_no_file_of_a_page_has_the_name_of_a_module_that_python_brings() -> None:
    pages = [ROOT / "README.md", ROOT / "README-quick.md", *(ROOT / "docs").glob("*.md")]
    names = {name for page in pages for name in re.findall(NAMED, page.read_text("utf-8"))}
    assert {"air.py", "app.py"} < names
    assert [name for name in names if name.partition("/")[0].removesuffix(".py") in sys.stdlib_module_names] == []
