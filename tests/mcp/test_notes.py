"""The example server with the inspector's command line and the fastmcp client, over streamable HTTP."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from examples.mcp.inspector import Inspected, Request, inspect, inspecting

from tests.examples.conftest import decide
from tests.flows.test_whole import link
from tests.mcp.judge import running
from tests.ports import free_port
from tests.server.visitor import Visitor


class Notes(NamedTuple):
    """The running example: its notes, and what a program's configuration says of it."""

    folder: Path
    entry: dict[str, Any]


@pytest.fixture(scope="module")
def notes(person: Visitor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notes]:
    folder, port = tmp_path_factory.mktemp("notes"), free_port()
    resource = f"http://localhost:{port}"
    settings = {"NOTES_URL": resource, "NOTES_FOLDER": str(folder), "NOTES_APPROVAL_SERVER": person.server.url}
    with running(port, folder / "log", "examples.mcp.notes", **settings), httpx.Client(base_url=resource) as browser:
        assert browser.post("/login", data={"name": "Ada"}).status_code == 303
        assert link(person, resource, browser).status_code == 200
        [shown] = re.findall(r"<pre id=entry>(.*?)</pre>", browser.get("/").text, re.DOTALL)
        yield Notes(folder / "notes", json.loads(html.unescape(shown))["mcpServers"]["notes"])


@pytest.fixture(params=["legacy", "modern"])
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def call(notes: Notes, era: str, tool: str, **arguments: str) -> Inspected:
    return inspect(notes.entry, Request("tools/call", tool, arguments, era))


def decided(notes: Notes, person: Visitor, decision: str, request: Request) -> Inspected:
    with inspecting(notes.entry, request) as inspection:
        decide(person, decision)
        return inspection.end()


def test_the_inspector_lists_the_tools_and_reads_without_asking_anybody(
    notes: Notes, person: Visitor, era: str
) -> None:
    (notes.folder / "plan.txt").write_text("rest", "utf-8")
    listed = inspect(notes.entry, Request("tools/list", era=era))
    names = [tool["name"] for tool in listed.result["tools"]]
    assert names == ["list_notes", "read_note", "write_note", "delete_note", "oneact_wait"]
    before = person.server.execute("SELECT count(*) FROM requests")
    assert call(notes, era, "read_note", name="plan").text == "rest"
    assert person.server.execute("SELECT count(*) FROM requests") == before


def test_the_inspector_writes_once_a_person_has_approved(notes: Notes, person: Visitor, era: str) -> None:
    request = Request("tools/call", "write_note", {"name": f"a-{era}", "text": "milk"}, era)
    done = decided(notes, person, "approve", request)
    assert (done.status, done.text) == (0, f"Wrote a-{era}."), done
    assert (notes.folder / f"a-{era}.txt").read_text("utf-8") == "milk"


def test_the_inspector_is_told_a_denial_in_the_persons_words(notes: Notes, person: Visitor, era: str) -> None:
    request = Request("tools/call", "write_note", {"name": f"d-{era}", "text": "a boat"}, era)
    done = decided(notes, person, "No boats.", request)
    assert done.result["isError"] is True
    assert "No boats." in done.text
    assert not (notes.folder / f"d-{era}.txt").exists()


def test_a_note_that_says_something_else_by_then_is_not_thrown_away(notes: Notes, person: Visitor, era: str) -> None:
    file = notes.folder / "old.txt"
    file.write_text("shopping", "utf-8")
    request = Request("tools/call", "delete_note", {"name": "old"}, era)
    with inspecting(notes.entry, request) as inspection:
        decide(person, "approve", lambda _page: file.write_text("the only copy", "utf-8"))
        done = inspection.end()
    assert done.result["_meta"]["oneact/refusal"]["reason"] == "terms_changed"
    assert file.read_text("utf-8") == "the only copy"


def test_a_program_without_a_key_is_nobodys(notes: Notes) -> None:
    nobody = {name: value for name, value in notes.entry.items() if name != "headers"}
    told = inspect(nobody, Request("tools/call", "write_note", {"name": "x", "text": ""}))
    assert "/oneact/link" in told.text
    with httpx.Client(headers=notes.entry["headers"]) as program:
        page = program.get(notes.entry["url"].removesuffix("/mcp") + "/oneact/link", follow_redirects=False)
    assert page.headers.get("location", "").startswith("/login"), (page.status_code, page.text)
