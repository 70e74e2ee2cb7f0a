"""What the specification and the documentation list is what the code has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from oneact.log.entry import Entry, Kind
from oneact.protocol import canonical, jws, offer, receipt, token
from oneact.server.lifecycle import State
from oneact.server.settings import TABLE, Settings
from tests.spec.errors_table import MARKS, table
from tests.spec.literal import ROOT
from tests.spec.test_literal import MADE

SPEC = (ROOT / "spec" / "oneact.md").read_text()
SCHEMAS = {file.stem: canonical.parse(file.read_bytes()) for file in sorted((ROOT / "spec" / "schemas").glob("*.json"))}


def claims(text: str, typ: str) -> dict[str, Any]:
    return jws.parse(text, typ, jws.PLAIN).claims


FORMS: dict[str, Any] = {
    "act": claims(MADE["offer"], offer.TYP)["authorization_details"][0],
    "action": MADE["action"],
    "statement": MADE["statement"],
    "roster": MADE["roster"],
    "offer": claims(MADE["offer"], offer.TYP),
    "token": claims(MADE["token"], token.TYP),
    "receipt": claims(MADE["receipt"], receipt.TYP),
    "entry": Entry(Kind.ASKED, 1, "a", "r", {}).members(),
}


def test_the_error_table_is_the_enum() -> None:
    assert SPEC.partition(MARKS[0])[2].partition(MARKS[1])[0] == table()


def test_every_kind_of_log_entry_is_named() -> None:
    missing = [kind.value for kind in Kind if kind.value not in SPEC]
    assert missing == []


def test_every_setting_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    for name, meaning in TABLE.items():
        assert f"`ONEACT_{name.upper()}`" in text
        assert meaning in text
    assert f"`{Settings().public_url}`" in text
    listed = set(re.findall(r"^\| `ONEACT_([A-Z_]+)`", text, re.MULTILINE))
    assert listed == {name.upper() for name in TABLE}


def test_every_state_of_a_request_is_in_the_diagram() -> None:
    text = Path(ROOT / "docs" / "lifecycle.md").read_text()
    assert all(state.value in text for state in State)


def test_there_is_a_schema_for_each_form() -> None:
    assert SCHEMAS.keys() == FORMS.keys()


@pytest.mark.parametrize("name", sorted(FORMS))
def test_what_the_code_makes_fits_its_schema_and_something_more_does_not(name: str) -> None:
    schema = SCHEMAS[name]
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(FORMS[name])
    assert not validator.is_valid({**FORMS[name], "more": 1})
    assert isinstance(schema, dict)
    required = schema["required"]
    assert isinstance(required, list)
    for member in required:
        assert not validator.is_valid({key: value for key, value in FORMS[name].items() if key != member})


def test_every_test_that_the_threats_name_is_there() -> None:
    named = re.findall(r"`((?:[a-z_]+/)?test_[a-z0-9_]+\.py)`", (ROOT / "docs" / "threats.md").read_text())
    assert len(named) > 50
    assert [name for name in named if not (ROOT / "tests" / name).is_file()] == []
    attacks = {f"attacks/{file.name}" for file in (ROOT / "tests" / "attacks").glob("test_*.py")}
    assert attacks - set(named) == set()
