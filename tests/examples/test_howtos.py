"""The commands of the how-tos start what they show, typed in an empty folder beside the page's files."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from oneact.agent import keys
from tests.examples.conftest import decide, paired
from tests.flows.test_whole import link
from tests.ports import free_port
from tests.server.visitor import Visitor
from tests.spec.literal import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server.peers import RunningServer

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


def blocks(page: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", text_of(page), re.DOTALL)


@contextlib.contextmanager
def started(command: str, folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Type one command that asks and answers."""
    with subprocess.Popen(
        ["bash", "-c", "exec " + command], cwd=folder, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as program:  # fmt: skip
        try:
            yield program
        finally:
            program.kill()


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
    start, ask = (re.sub("|".join(ports), lambda found: ports[found[0]], block) for block in blocks(page)[:2])
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


def test_the_tool_is_called_by_the_pages_client_and_by_its_agent_once_a_person_has_approved(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEACT_HOME", str(tmp_path / "home"))
    settle_in("mcp", tmp_path)
    port, person = str(free_port()), Visitor(server).sign_up()
    service = f"http://localhost:{port}"
    paired(server, person, keys.default_file(server.url))
    start, call, ask = (block.strip().replace("8700", port) for block in blocks("mcp")[:3])
    file = tmp_path / "ask.py"
    file.write_text(file.read_text().replace("8700", port).replace("http://localhost:8400", server.url))
    environment = {
        **INSTALLED, "ONEACT_HOME": str(tmp_path / "home"), "NOTES_URL": service, "NOTES_APPROVAL_SERVER": server.url
    }  # fmt: skip
    with typed(start.splitlines()[-1], tmp_path, environment), httpx.Client(trust_env=False) as browser:
        answer(service, tmp_path)
        [key] = re.findall("<code>(.*?)</code>", browser.get(service + "/login").text)
        assert link(person, service, browser).status_code == 200
        ends = {call.replace("KEY", key): "a.txt written for ada", ask: "b.txt written for ada executed"}
        for command, said in ends.items():
            with started(command, tmp_path, environment) as program:
                assert program.stdin is not None
                program.stdin.write("\n")
                program.stdin.flush()
                decide(person, "approve")
                told, wrong = program.communicate(timeout=30)
            assert (program.returncode, said in told) == (0, True), told + wrong
    assert (tmp_path / "var/notes/a.txt").read_text() == "hello"
    assert (tmp_path / "var/notes/b.txt").read_text() == "milk"


def test_the_client_of_a_server_over_stdio_is_told_that_a_passkey_is_missing(tmp_path: Path) -> None:
    settle_in("mcp", tmp_path)
    file = tmp_path / "local.py"
    text = file.read_text().replace("show=webbrowser.open", "show=lambda address: False")
    file.write_text(text.replace("8701", str(free_port())))
    with started(blocks("mcp")[3], tmp_path, INSTALLED) as program:
        told, shown = program.communicate("\nq\n", timeout=30)
    assert (program.returncode, "no passkey is linked yet" in told, "/start/" in told) == (0, True, False), told
    assert re.search(r"http://localhost:\d+/start/", shown)


def test_the_site_with_a_form_is_served_as_its_page_says(tmp_path: Path) -> None:
    settle_in("forms", tmp_path)
    [start] = re.findall(r"^uvicorn .*$", text_of("forms"), re.MULTILINE)
    port = str(free_port())
    with typed(f"{start} --port {port}", tmp_path, {**INSTALLED, "PORT": port}):
        assert "action=/book" in answer(f"http://localhost:{port}/", tmp_path).text


def test_no_file_of_a_page_has_the_name_of_a_module_that_is_installed() -> None:
    pages = [ROOT / "README.md", ROOT / "README-quick.md", *(ROOT / "docs").glob("*.md")]
    names = {name for page in pages for name in re.findall(NAMED, page.read_text("utf-8"))}
    assert {"air.py", "app.py"} < names
    taken = sys.stdlib_module_names | packages_distributions().keys()
    assert [name for name in names if name.partition("/")[0].removesuffix(".py") in taken] == []
