"""Evidence out of a server: by its person's page, by its operator's command, checked by anyone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oneact.log import evidence, proving
from oneact.protocol import canonical
from tests.tlog.lived import Lived, command

KEPT = sorted((Path(__file__).parent / "kept").glob("*.json"))


def bundle(lived: Lived, name: str) -> Path:
    code, output = command("log", "evidence", lived.requests[name], str(lived.database))
    assert code == 0, output
    file = lived.folder / f"{name}.json"
    file.write_text(output)
    return file


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("executed", {"offer", "display", "statement", "passkey", "token", "receipt", "log", "story"}),
        ("denied", {"offer", "display", "end", "log", "story"}),
        ("cancelled", {"offer", "display", "end", "log", "story"}),
        ("silent", {"offer", "display", "end", "log", "story"}),
        ("unused", {"offer", "display", "statement", "passkey", "end", "log", "story"}),
    ],
)
def test_the_evidence_of_every_outcome_holds(lived: Lived, name: str, there: set[str]) -> None:
    file = bundle(lived, name)
    found = evidence.parse(canonical.parse(file.read_bytes(), evidence.MAX_OCTETS))
    steps = {step.name: step.result for step in proving.check(found)}
    assert {step for step, result in steps.items() if result == "passed"} == there, steps
    assert "failed" not in steps.values()
    code, output = command("verify", str(file), "--log-key", lived.key.read_text().strip())
    assert code == 0, output
    assert "what this proves" in output
    assert "(as expected)" in output


def test_a_file_that_was_changed_proves_nothing(lived: Lived) -> None:
    file = bundle(lived, "executed")
    changed = json.loads(file.read_text())
    changed["lines"][1][3] = "1.00 USD"
    file.write_text(json.dumps(changed))
    code, output = command("verify", str(file))
    assert code == 1
    assert "failed  2 display" in output
    assert "This proves nothing: step 2 (display)" in output
    code, output = command("verify", str(file), "--json")
    assert code == 1
    assert json.loads(output)["holds"] is False


def test_a_file_with_too_little_in_it_proves_nothing(lived: Lived) -> None:
    file = bundle(lived, "executed")
    bare = json.loads(file.read_text())
    file.write_text(json.dumps({**bare, "entries": [], "receipt": None, "offer": None}))
    code, output = command("verify", str(file))
    assert code == 1
    assert "too little is there" in output


def test_another_key_than_expected_fails(lived: Lived) -> None:
    code, output = command("verify", str(bundle(lived, "executed")), "--passkey", "another")
    assert (code, "evidence_key" in output) == (1, True)


def test_what_is_no_evidence_is_said_to_be_none(lived: Lived) -> None:
    for file in (lived.folder / "nowhere.json", lived.database):
        assert command("verify", str(file))[0] == 2
    assert command("log", "evidence", "nothing", str(lived.database))[0] == 2


def test_an_identifier_may_begin_with_a_hyphen(lived: Lived) -> None:
    name = "-" + lived.requests["denied"][1:]
    lived.execute("PRAGMA foreign_keys = OFF", f"UPDATE requests SET id = '{name}' WHERE state = 'denied'")  # noqa: S608 - a name of its own
    code, output = command("log", "evidence", name, str(lived.database))
    assert (code, '"oneact_evidence"' in output) == (0, True), output
    assert "not_yours" in command("log", "erase", "-nobody", str(lived.database), "--yes")[1]


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.name)
def test_evidence_that_was_kept_verifies_for_ever(file: Path) -> None:
    assert command("verify", str(file))[0] == 0


def test_there_is_evidence_that_was_kept() -> None:
    assert {file.stem.partition("-")[2] for file in KEPT} >= {"executed", "denied", "unused"}
