from __future__ import annotations

import json
import stat
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

import pytest
from typer.testing import CliRunner

from oneact.cli.commands import app
from oneact.gateway.mcp import clients
from oneact.gateway.mcp.known import CLIENTS

WRITTEN = """{
    "theme": "dark",
    "mcpServers": {
        "notes": {"command": "npx", "args": ["-y", "notes"], "env": {"TOKEN": "t"}},
        "far": {"url": "https://mcp.example/mcp"}
    }
}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONEACT_HOME", str(tmp_path / "home"))
    found = tmp_path / "mcp.json"
    found.write_text(WRITTEN)
    found.chmod(0o640)
    return found


def run(*words: str, answer: str = "") -> Any:
    return CliRunner().invoke(app, ["mcp", *words], input=answer)


def servers(file: Path, member: str = "mcpServers") -> dict[str, Any]:
    return dict(json.loads(file.read_text())[member])


def test_the_proxy_stands_in_front_of_a_server_and_all_else_stays(file: Path) -> None:
    done = run("install", "--file", str(file), "--yes", "cursor", "notes")
    assert done.exit_code == 0, done.output
    entry = servers(file)["notes"]
    at = entry["args"].index("mcp-proxy")
    assert entry["args"][at:] == ["mcp-proxy", "--name", "notes", "--", "npx", "-y", "notes"]
    assert entry["env"] == {"TOKEN": "t"}
    assert json.loads(file.read_text())["theme"] == "dark"
    assert servers(file)["far"] == {"url": "https://mcp.example/mcp"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert file.with_name("mcp.json.before-oneact").read_text() == WRITTEN


def test_an_option_may_stand_behind_the_names_and_is_no_part_of_the_command(file: Path) -> None:
    done = run("install", "--file", str(file), "cursor", "new", "--yes", "--", "npx", "-y", "new")
    assert done.exit_code == 0, done.output
    entry = servers(file)["new"]
    assert entry["args"][entry["args"].index("--") :] == ["--", "npx", "-y", "new"]
    assert run("install", "--file", str(file), "--yes", "cursor", "other", "npx", "-y", "other").exit_code == 2
    assert "other" not in servers(file)


@pytest.mark.parametrize("server", ["notes", "far"])
def test_an_uninstall_puts_back_what_was_there(file: Path, server: str) -> None:
    before = json.loads(WRITTEN)
    assert run("install", "--file", str(file), "--yes", "cursor", server).exit_code == 0
    assert servers(file)[server] != before["mcpServers"][server]
    assert run("uninstall", "--file", str(file), "--yes", "cursor", server).exit_code == 0
    assert json.loads(file.read_text()) == before


@pytest.mark.parametrize("server", ["notes", "far"])
def test_an_uninstall_without_a_record_reads_it_off_the_entry(file: Path, tmp_path: Path, server: str) -> None:
    assert run("install", "--file", str(file), "--yes", "cursor", server).exit_code == 0
    (tmp_path / "home" / "mcp" / "installed.json").unlink()
    assert run("uninstall", "--file", str(file), "--yes", "cursor", server).exit_code == 0
    assert json.loads(file.read_text()) == json.loads(WRITTEN)


def test_a_new_server_is_added_and_taken_out_whole(file: Path) -> None:
    new = file.parent / "deep" / "mcp.json"
    assert run("install", "--file", str(new), "--yes", "vscode", "files", "--", "npx", "files", "/a").exit_code == 0
    entry = servers(new, "servers")["files"]
    assert entry["type"] == "stdio"
    assert entry["args"][-4:] == ["--", "npx", "files", "/a"]
    assert run("uninstall", "--file", str(new), "--yes", "vscode", "files").exit_code == 0
    assert servers(new, "servers") == {}


def test_nothing_is_written_before_the_difference_was_shown_and_agreed_to(file: Path) -> None:
    done = run("install", "--file", str(file), "cursor", "notes", answer="n\n")
    assert '+      "command"' in done.output.replace("+            ", "+      ")
    assert "nothing was written" in done.output
    assert file.read_text() == WRITTEN
    assert run("install", "--file", str(file), "cursor", "notes", answer="y\n").exit_code == 0
    assert file.read_text() != WRITTEN


@pytest.mark.parametrize("text", ["// mine\n{}", '{"a": 1,}', "[]", '{"mcpServers": []}', '{"a": 1, "a": 2}'])
def test_a_file_that_is_not_plain_json_is_left_alone(file: Path, text: str) -> None:
    file.write_text(text)
    done = run("install", "--file", str(file), "--yes", "cursor", "x", "--", "npx")
    assert done.exit_code == 2
    assert "left alone" in done.output
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody", "notes"], "none of"),
        (["cursor", "absent"], "no server absent"),
        (["cursor", "notes", "--", "npx"], "already"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_written(file: Path, words: list[str], said: str) -> None:
    done = run("install", "--file", str(file), "--yes", *words)
    assert (done.exit_code, said in done.output) == (2, True), done.output
    assert file.read_text() == WRITTEN


def test_the_proxy_is_put_in_front_once(file: Path) -> None:
    assert run("install", "--file", str(file), "--yes", "cursor", "notes").exit_code == 0
    assert run("install", "--file", str(file), "--yes", "cursor", "notes").exit_code == 2
    assert run("uninstall", "--file", str(file), "--yes", "cursor", "far").exit_code == 2


def test_credentials_in_a_clients_file_are_not_taken_over(file: Path) -> None:
    file.write_text(json.dumps({"mcpServers": {"far": {"url": "https://a.example", "headers": {"A": "secret"}}}}))
    done = run("install", "--file", str(file), "--yes", "cursor", "far")
    assert (done.exit_code, "policy" in done.output) == (2, True)


def test_a_file_that_changes_meanwhile_is_not_overwritten(file: Path) -> None:
    change = clients.install(CLIENTS["cursor"], file, "notes", [], [])
    file.write_text("{}")
    with pytest.raises(OSError, match="changed meanwhile"):
        clients.write(change)
    assert file.read_text() == "{}"


def test_a_link_to_the_file_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(file)
    assert run("install", "--file", str(link), "--yes", "cursor", "notes").exit_code == 0
    assert link.is_symlink()
    assert "mcp-proxy" in servers(file)["notes"]["args"]


PROJECT = {"claude-code": ".mcp.json", "vscode": ".vscode/mcp.json"}
HOME = {
    "cursor": ".cursor/mcp.json",
    "gemini": ".gemini/settings.json",
    "windsurf": ".codeium/windsurf/mcp_config.json",
}
SETTINGS = {"claude-desktop": "Claude/claude_desktop_config.json", "vscode-user": "Code/User/mcp.json"}
MAC, LINUX = (PurePosixPath(path) for path in ("/Users/ada", "/home/ada"))
WINDOWS = PureWindowsPath("C:/Users/ada")


@pytest.mark.parametrize(
    ("platform", "home", "environment", "settings"),
    [
        ("darwin", MAC, {}, MAC / "Library/Application Support"),
        ("darwin", MAC, {"XDG_CONFIG_HOME": "/elsewhere", "APPDATA": "/other"}, MAC / "Library/Application Support"),
        ("linux", LINUX, {}, LINUX / ".config"),
        ("linux", LINUX, {"XDG_CONFIG_HOME": "/elsewhere"}, PurePosixPath("/elsewhere")),
        ("linux", LINUX, {"XDG_CONFIG_HOME": "not/whole"}, LINUX / ".config"),
        ("win32", WINDOWS, {}, WINDOWS / "AppData/Roaming"),
        ("win32", WINDOWS, {"APPDATA": "D:\\kept"}, PureWindowsPath("D:/kept")),
    ],
)
def test_each_client_has_its_file_on_each_platform(
    platform: str, home: PurePath, environment: dict[str, str], settings: PurePath
) -> None:
    project = home / "work"
    found = {name: client.place(platform, home, project, environment) for name, client in CLIENTS.items()}
    assert found == {
        **{name: project / rest for name, rest in PROJECT.items()},
        **{name: home / rest for name, rest in HOME.items()},
        **{name: settings / rest for name, rest in SETTINGS.items()},
    }


def test_a_clients_file_is_the_one_of_this_user_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert CLIENTS["claude-code"].file() == tmp_path / ".mcp.json"
    assert CLIENTS["cursor"].file() == tmp_path / "me" / ".cursor" / "mcp.json"


@pytest.mark.parametrize("name", CLIENTS)
def test_a_server_reached_over_http_is_put_back_as_its_client_writes_it(file: Path, tmp_path: Path, name: str) -> None:
    client = CLIENTS[name]
    kind = {"type": client.remote} if client.remote else {}
    before = {client.member: {"far": {**kind, client.address: "https://mcp.example/mcp"}}}
    file.write_text(json.dumps(before))
    assert run("install", "--file", str(file), "--yes", name, "far").exit_code == 0
    assert servers(file, client.member)["far"]["args"][-2:] == ["--url", "https://mcp.example/mcp"]
    (tmp_path / "home" / "mcp" / "installed.json").unlink()
    assert run("uninstall", "--file", str(file), "--yes", name, "far").exit_code == 0
    assert json.loads(file.read_text()) == before


@pytest.mark.parametrize(("name", "entry"), [("cursor", {"type": "sse", "url": "u"}), ("gemini", {"url": "u"})])
def test_a_server_that_is_reached_in_a_way_the_proxy_cannot_is_left_alone(
    file: Path, name: str, entry: dict[str, str]
) -> None:
    file.write_text(json.dumps({"mcpServers": {"far": entry}}))
    done = run("install", "--file", str(file), "--yes", name, "far")
    assert (done.exit_code, "SSE" in done.output) == (2, True)
