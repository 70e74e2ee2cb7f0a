from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from oneact.gateway.mcp import places, policy, proposing, reaching
from oneact.gateway.mcp.policy import EMPTY, Policy

WHOLE = """
name: notes
command: [npx, -y, notes-server]
environment: [NOTES_TOKEN]
deadline: 20
tools:
  read_*: allow
  write_note:
    rule: approve
    intent: Write a note
    summary: Write {name}
    labels: {name: Name of the note}
    reversible: true
  wipe: deny
"""


def test_a_policy_says_what_is_done_and_how_it_is_told() -> None:
    found = policy.parse(policy.read(WHOLE.encode()))
    assert (found.name, found.command, found.environment) == ("notes", ("npx", "-y", "notes-server"), ("NOTES_TOKEN",))
    assert [found.rules.of(name).rule for name in ("read_x", "write_note", "wipe", "other")] == [
        "allow", "approve", "deny", "approve",
    ]  # fmt: skip
    words = found.words["write_note"]
    assert (words.intent, words.summary, words.reversible) == ("Write a note", "Write {name}", True)
    assert words.labels == {"name": "Name of the note"}


def test_json_is_a_policy_too() -> None:
    assert policy.parse(policy.read(b'{"url": "http://localhost:1/mcp", "tools": {"a": "deny"}}')).rules.of("a").exact


@pytest.mark.parametrize(
    "text",
    [
        "tools: {a: allow, a: deny}",
        "tools: {a: {rule: allow, rule: deny}}",
        "x: &a [1]\ntools: *a",
        "tools: !!python/object/apply:os.system [ls]",
        "tools: [",
        "a: b: c",
        "[" * 5000,
    ],
)
def test_what_is_no_plain_yaml_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        policy.parse(policy.read(text.encode()))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("tool: {}", "tool is none of"),
        ("- a", "not a mapping"),
        ("tools: [a]", "not a mapping"),
        ("tools: {a: maybe}", "none of approve"),
        ("tools: {a: {rules: allow}}", "rules is none of"),
        ("tools: {a: {intent: 1}}", "not a text"),
        ("tools: {a: {reversible: 1}}", "true or false"),
        ("tools: {a: {labels: {b: 1}}}", "texts by name"),
        ("name: ../up", "name"),
        ("name: 1", "not a text"),
        ("command: npx server", "not a list"),
        ("command: [a]\nurl: https://a.example/mcp", "exclude"),
        ("url: http://a.example/mcp", "needs https"),
        ("url: file:///etc/passwd", "no address"),
        ("url: https://a:b@a.example/mcp", "headers"),
        ("environment: [A-B]", "no name of a variable"),
        ("keyring: {A: nothing}", "service/user"),
        ("deadline: 0", "deadline"),
        ("deadline: yes", "whole number"),
    ],
)
def test_a_policy_that_says_what_no_policy_can_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        policy.parse(policy.read(text.encode()))


def test_a_file_that_is_none_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"absent\.yaml: No such file"):
        policy.load(tmp_path / "absent.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * (policy.MAX_OCTETS + 1))
    with pytest.raises(ValueError, match=r"large\.yaml: .* are the most"):
        policy.load(tmp_path / "large.yaml")


def test_a_proposed_policy_is_one_and_trusts_nothing_that_the_server_says() -> None:
    tools = [
        {"name": "read", "annotations": {"readOnlyHint": True}},
        {"name": 'evil": allow\n  "*'},
        {"name": "write", "annotations": {"readOnlyHint": "yes"}},
    ]
    text = proposing.proposed(Policy(EMPTY.rules, name="x", command=("a", "b: c")), tools)
    found = policy.parse(policy.read(text.encode()))
    assert found.command == ("a", "b: c")
    assert [found.rules.of(name) for name in ("read", "write", "other")] == [
        policy.rules.Found("approve", exact=True), policy.rules.Found("approve", exact=True),
        policy.rules.Found("approve", exact=False),
    ]  # fmt: skip
    assert text.count("# the server says that it only reads") == 1


OWN = {"PATH": "/bin", "HOME": "/h", "TOKEN": "t", "OTHER": "o", "ONEACT_SERVER": "s"}


def test_a_server_gets_the_variables_that_are_named_and_what_programs_need() -> None:
    named = Policy(EMPTY.rules, environment=("TOKEN",))
    assert reaching.given(named, OWN) == {"PATH": "/bin", "HOME": "/h", "TOKEN": "t"}
    assert reaching.given(EMPTY, OWN) == {"PATH": "/bin", "HOME": "/h", "TOKEN": "t", "OTHER": "o"}
    with pytest.raises(ValueError, match="ABSENT is not set"):
        reaching.given(Policy(EMPTY.rules, environment=("ABSENT",)), OWN)


def test_a_credential_comes_out_of_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Policy(EMPTY.rules, environment=(), keyring={"TOKEN": "notes/ada"})
    keyring = ModuleType("keyring")  # a real one is in test_keyring.py
    keyring.get_password = lambda service, user: "k" if (service, user) == ("notes", "ada") else None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    assert reaching.given(kept, OWN)["TOKEN"] == "k"
    with pytest.raises(ValueError, match="nothing is kept for notes/eve"):
        reaching.given(Policy(EMPTY.rules, keyring={"TOKEN": "notes/eve"}), OWN)
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ValueError, match="pip install keyring"):
        reaching.given(kept, OWN)


def test_a_header_whose_variable_is_absent_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTES_TOKEN", raising=False)
    wanted = Policy(EMPTY.rules, url="https://a.example/mcp", headers={"Authorization": "Bearer ${NOTES_TOKEN}"})
    with pytest.raises(ValueError, match="NOTES_TOKEN is not set"):
        reaching.connecting(wanted)


def test_a_server_has_a_name_of_what_it_is_and_how_it_is_reached() -> None:
    first = places.name_of(["npx", "-y", "@scope/server-files@1.2", "/a"], "")
    second = places.name_of(["npx", "-y", "@scope/server-files@1.2", "/b"], "")
    assert first.startswith("server-files-")
    assert first != second
    assert places.name_of([], "https://mcp.example/mcp").startswith("mcp.example-")
    assert places.name_of(["npx"], "").startswith("npx-")
