"""What the specification and the documentation list is what the code has."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import asking, canonical, display, jws, metadata, offer, receipt, token
from oneact.server import lifecycle
from oneact.server.settings import TABLE, Settings
from tests.log.acts import Story
from tests.spec.errors_table import MARKS, table
from tests.spec.literal import AIR, APPROVE, ROOT
from tests.spec.telling import METADATA_MARKS, documents, metadata_markdown
from tests.spec.test_literal import MADE
from tests.vectors.generate_read import ITINERARIES, opened, read_claims

SPEC = (ROOT / "spec" / "oneact.md").read_text()
SCHEMAS = {file.stem: canonical.parse(file.read_bytes()) for file in sorted((ROOT / "spec" / "schemas").glob("*.json"))}


def claims(text: str, typ: str) -> dict[str, Any]:
    return jws.parse(text, typ, jws.PLAIN).claims


PUBLISHED = documents()
# What others may add to: a reader passes over what it does not know.
OPEN: dict[str, Any] = {f"{name}_metadata": document for name, document in PUBLISHED.items()}
FORMS: dict[str, Any] = {
    **OPEN,
    "act": claims(MADE["offer"], offer.TYP)["authorization_details"][0],
    "action": MADE["action"],
    "statement": MADE["statement"],
    "roster": MADE["roster"],
    "offer": claims(MADE["offer"], offer.TYP),
    "token": claims(MADE["token"], token.TYP),
    "asking_token": asking.AskingToken(APPROVE, "p-7Yc1", AIR, "c-9f2k", 1, 301, "j", "k" * 43).claims(),
    "read": ITINERARIES,
    "read_statement": opened()[0]["statement"],
    "read_token": read_claims(),
    "receipt": claims(MADE["receipt"], receipt.TYP),
    "entry": Entry(Kind.ASKED, 1, "a", "r", {}).members(),
    "evidence": Story().executed().members(),
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


def test_the_diagram_of_a_requests_life_is_the_one_that_the_table_draws() -> None:
    text = (ROOT / "docs" / "lifecycle.md").read_text()
    assert "```mermaid\n" + lifecycle.diagram() + "```\n" in text


def test_there_is_a_schema_for_each_form() -> None:
    assert SCHEMAS.keys() == FORMS.keys()


@pytest.mark.parametrize("name", sorted(FORMS))
def test_what_the_code_makes_fits_its_schema_and_something_more_only_where_the_form_is_open(name: str) -> None:
    schema = SCHEMAS[name]
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(FORMS[name])
    assert validator.is_valid({**FORMS[name], "more": 1}) == (name in OPEN)
    assert isinstance(schema, dict)
    required = schema["required"]
    assert isinstance(required, list)
    for member in required:
        assert not validator.is_valid({key: value for key, value in FORMS[name].items() if key != member})


def test_the_metadata_of_the_specification_is_what_the_code_publishes() -> None:
    assert SPEC.partition(METADATA_MARKS[0])[2].partition(METADATA_MARKS[1])[0] == metadata_markdown()


def test_every_member_that_a_schema_of_metadata_names_is_in_the_specification() -> None:
    for name in OPEN:
        schema = SCHEMAS[name]
        assert isinstance(schema, dict)
        assert isinstance(schema["properties"], dict)
        table = SPEC.partition("### 4.10")[2].partition("## 5")[0].partition(METADATA_MARKS[1])[2]
        assert [member for member in schema["properties"] if f"`{member}`" not in table] == []


def test_a_service_is_read_only_with_every_member_that_its_schema_requires() -> None:
    whole = PUBLISHED["service"]
    schema = SCHEMAS["service_metadata"]
    assert isinstance(schema, dict)
    assert isinstance(schema["required"], list)
    assert metadata.parse_service(whole, AIR).document() == whole
    for member in schema["required"]:
        with pytest.raises(Refusal) as refused:
            metadata.parse_service({name: value for name, value in whole.items() if name != member}, AIR)
        assert refused.value.reason is Reason.METADATA_INVALID


def test_a_server_is_read_with_every_endpoint_that_the_schema_names() -> None:
    schema, found = SCHEMAS["server_metadata"], metadata.parse_server(PUBLISHED["server"], APPROVE)
    assert isinstance(schema, dict)
    assert isinstance(schema["properties"], dict)
    assert found.document() == PUBLISHED["server"]
    own = {"issuer", "oneact_versions_supported", "response_types_supported"}
    assert schema["properties"].keys() - own == found.endpoints.keys()


def points(listed: str) -> set[int]:
    """Give the code points of a list of them and of ranges, in hexadecimal."""
    found = set()
    for item in listed.replace("\n", " ").split(", "):
        first, _, last = item.strip().partition("\u2013")
        found |= set(range(int(first, 16), int(last or first, 16) + 1))
    return found


def test_the_grammar_of_the_formats_is_the_codes() -> None:
    block = SPEC.partition("<!-- grammar -->\n```\n")[2].partition("```\n")[0]
    told = dict(re.split(r" {2,}", line, maxsplit=1) for line in block.splitlines())
    patterns = {
        "amount": display._MONEY,
        "currency": display._CURRENCY,
        "date": display._DATE,
        "date-time": display._TIME,
        "time-zone": display._ZONE,
        "email": display._EMAIL,
        "url": display._URL,
    }
    said = {name: found.pattern.replace("(?:", "(").replace(r"\s", "WS") for name, found in patterns.items()}
    assert told == said


def test_the_ranges_of_the_specification_are_the_codes() -> None:
    every = "".join(map(chr, range(0x110000)))
    white = SPEC.partition("these and no others: ")[2].partition(". ")[0]
    assert points(white) == {ord(found) for found in re.findall(r"\s", every)}
    escaped = SPEC.partition("without leading zeros:\n")[2].partition(".\n")[0]
    assert points(escaped) | {ord("\\")} == {ord(found) for found in every if display._ESCAPED.match(found)}
    marks = SPEC.partition("these blocks:\n")[2].partition(".\n")[0]
    thirds = {ord(found) for found in every if display._ESCAPED.match(found * 3, 2)}
    assert points(marks) == thirds - points(escaped) - {ord("\\")} | {0x34F}  # which is escaped by itself


def test_every_test_that_the_threats_name_is_there() -> None:
    named = re.findall(r"`((?:[a-z_]+/)?test_[a-z0-9_]+\.py)`", (ROOT / "docs" / "threats.md").read_text())
    assert len(named) > 50
    assert [name for name in named if not (ROOT / "tests" / name).is_file()] == []
    attacks = {f"attacks/{file.name}" for file in (ROOT / "tests" / "attacks").glob("test_*.py")}
    assert attacks - set(named) == set()
