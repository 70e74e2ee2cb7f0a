"""docs/mcp-proxy.md, followed from an empty folder."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest

from oneact.gateway.mcp import policy
from oneact.protocol.tool import RECEIPT
from tests.gateway.playing import Play, text
from tests.spec.literal import ROOT

DOC = (ROOT / "docs" / "mcp-proxy.md").read_text("utf-8")


def blocks(kind: str = "") -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
    return [body for name, body in found if name == kind]


COMMANDS = [line for block in blocks() for line in block.splitlines() if line.startswith("oneact ")]


@pytest.fixture
def folder(play: Play) -> Play:
    """The folder in which the page's own server stands."""
    [server] = blocks("python")
    (play.folder / "notes_server.py").write_text(server)
    return play


def run(play: Play, line: str) -> subprocess.CompletedProcess[str]:
    words = line.partition(" > ")[0].replace(" python ", f" {sys.executable} ").split()[1:]
    command = [sys.executable, "-m", "oneact.cli", *words]
    env = {**play.env, "HOME": str(play.folder)}
    done = subprocess.run(
        command, cwd=play.folder, env=env, input="y\n", capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


async def test_the_pages_server_is_called_once_its_person_has_approved_it(folder: Play) -> None:
    [line] = [line for line in COMMANDS if line == "oneact mcp-proxy -- python notes_server.py"]
    folder.upstream = [sys.executable, str(folder.folder / "notes_server.py")]
    note = folder.folder / "note"
    assert line
    async with folder.client() as client:
        await folder.link(client)
        async with folder.deciding("approve"):
            told = await client.call_tool("write_note", {"name": str(note), "text": "hello"})
        assert text(told) == "written"
        assert RECEIPT in told.meta
    assert written(folder) == "hello"


def written(play: Play) -> str:
    return (play.folder / "note").read_text()


def test_the_proposed_policy_is_one_and_the_pages_own_is_another(folder: Play) -> None:
    [line] = [line for line in COMMANDS if " init " in line]
    proposed = policy.parse(policy.read(run(folder, line).stdout.encode()))
    assert {name: proposed.rules.of(name).rule for name in ("read_note", "write_note")} == {
        "read_note": "approve", "write_note": "approve",
    }  # fmt: skip
    [written] = blocks("yaml")
    found = policy.parse(policy.read(written.encode()))
    assert [found.rules.of(name).rule for name in ("read_note", "write_note", "delete_note")] == [
        "allow", "approve", "deny",
    ]  # fmt: skip


def test_every_member_of_a_policy_is_in_the_table() -> None:
    named = {name for row in re.findall(r"^\| (`[^|]*) \|", DOC, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert named >= policy.MEMBERS


def test_the_clients_files_are_written_and_put_back_as_the_page_says(folder: Play) -> None:
    install, second, uninstall = (line for line in COMMANDS if "install" in line and line.startswith("oneact mcp "))
    assert "+" in run(folder, install).stdout
    file = folder.folder / ".cursor" / "mcp.json"
    assert "mcp-proxy" in json.loads(file.read_text())["mcpServers"]["notes"]["args"]
    desktop = folder.folder / ".config" / "Claude" / "claude_desktop_config.json"
    desktop.parent.mkdir(parents=True)
    shutil.copy(file, desktop)
    entry = {"mcpServers": {"notes": {"command": "python", "args": ["notes_server.py"]}}}
    desktop.write_text(json.dumps(entry))
    if sys.platform == "linux":
        run(folder, second)
        assert "mcp-proxy" in desktop.read_text()
    run(folder, uninstall)
    assert json.loads(file.read_text()) == {"mcpServers": {}}
