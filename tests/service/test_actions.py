"""What is published of an action: placeholders, labels, formats, closed schemas."""

import re
from typing import Any

import pytest

from oneact.protocol.action import Rule
from oneact.service import actions

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "when": {"type": "string", "format": "date-time"},
        "mail": {"type": "string", "format": "email", "title": "E-mail"},
        "page": {"type": "string", "format": "uri"},
        "code": {"type": "string", "format": "password"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "rows": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
        "fee": {"$ref": "#/$defs/Money"},
        "tip": {"anyOf": [{"$ref": "#/$defs/Money"}, {"type": "null"}], "title": "Tip"},
        "home": {"type": "object", "properties": {"street": {"type": "string"}}},
        "shared": {"type": "string"},
    },
    "$defs": {
        "Money": {
            "type": "object",
            "title": "Money",
            "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}},
        }
    },
}
TERMS: dict[str, Any] = {"type": "object", "properties": {"total": {"type": "string"}, "shared": {"type": "string"}}}


def describe(**changes: Any) -> Any:
    settings: dict[str, Any] = {
        "intent": "Do", "summary": "Do {tags}", "schema": SCHEMA, "terms": TERMS, "sources": {}, "display": None,
        "reversible": False, "rule": Rule(), "method": "POST", "path": "/do",
    }  # fmt: skip
    return actions.describe(changes.pop("name", "do"), **(settings | changes))


def test_formats_and_labels_follow_the_schema() -> None:
    lines = {entry.pointer: (entry.label, entry.format) for entry in describe().display}
    assert lines == {
        "/parameters/when": ("When", "date-time"),
        "/parameters/mail": ("E-mail", "email"),
        "/parameters/page": ("Page", "url"),
        "/parameters/code": ("Code", "secret"),
        "/parameters/tags": ("Tags", "list"),
        "/parameters/fee": ("Fee", "money"),
        "/parameters/tip": ("Tip", "money"),
        "/parameters/shared": ("Shared", "text"),
        "/terms/total": ("Total", "text"),
        "/terms/shared": ("Shared", "text"),
    }


def test_the_owners_labels_and_formats_come_first() -> None:
    display = {"tags": "Keywords", "total": ("You pay", "account"), "/parameters/home/street": "Street", "rows": "Rows"}
    lines = {entry.pointer: (entry.label, entry.format) for entry in describe(display=display).display}
    assert lines["/parameters/tags"] == ("Keywords", "list")
    assert lines["/terms/total"] == ("You pay", "account")
    assert lines["/parameters/home/street"] == ("Street", "text")
    assert lines["/parameters/rows"] == ("Rows", "text")


@pytest.mark.parametrize(
    ("summary", "resolved"),
    [
        ("{total}", "{/terms/total}"),
        ("{fee.amount}", "{/parameters/fee/amount}"),
        ("{/terms/shared} {tags}", "{/terms/shared} {/parameters/tags}"),
    ],
)
def test_placeholders_become_pointers(summary: str, resolved: str) -> None:
    assert describe(summary=summary).summary == resolved


@pytest.mark.parametrize(
    "changes",
    [
        {"summary": "{shared}"},
        {"summary": "{nothing}"},
        {"summary": "{"},
        {"display": {"nothing": "No"}},
        {"display": {"tags": ("Tags", "picture")}},
        {"schema": {"type": "array"}},
        {"schema": {"type": "object", "properties": {"a": {"type": "number"}}}},
        {"schema": {"type": "object", "properties": {"a": {"type": "integer", "default": 0.5}}}},
        {"schema": {"type": "object", "properties": {}, "additionalProperties": True}},
        {"method": "GET"},
        {"path": "do"},
        {"rule": Rule(4)},
    ],
)
def test_what_cannot_be_published_is_a_mistake_of_the_owner(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        describe(**{"summary": "Do", **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "Book flight"}, "action Book flight: a name is lower-case letters"),
        ({"intent": "x" * 81}, "action do: intent= has 1 to 80 characters, not 81"),
        ({"method": "GET"}, "GET changes nothing by its meaning; an act is DELETE, PATCH, POST, PUT"),
        ({"path": "do"}, "path= 'do' begins with a slash"),
        ({"summary": "Do {nothing}"}, "action do: {nothing} is no parameter or term"),
        ({"display": {"tags": "x" * 81}}, "display= of tags: a label has 1 to 80 characters"),
        ({"display": {"tags": ("Tags", "picture")}}, "display= of tags: 'picture' is none of account, date"),
        ({"schema": {"type": "object", "properties": {"a": {"type": ["number", "null"]}}}}, "parameter a: a number"),
        ({"schema": {"type": "object", "additionalProperties": True}}, "action do: parameter: an object of any"),
        ({"schema": {"type": "object", "properties": {"a": {"not": {}}}}}, "parameter a: keyword 'not'"),
        ({"terms": {"type": "object", "properties": {"a": {"items": {"type": "number"}}}}}, "term a: a number"),
        (
            {
                "schema": {
                    "type": "object",
                    "properties": {"tree": {"$ref": "#/$defs/Tree"}},
                    "$defs": {
                        "Tree": {
                            "type": "object",
                            "properties": {"left": {"$ref": "#/$defs/Tree"}, "weight": {"type": "number"}},
                        }
                    },
                }
            },
            "parameter tree.weight: a number",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_to_write(changes: dict[str, Any], said: str) -> None:
    settings = {"summary": "Do", **changes}
    with pytest.raises(ValueError, match=re.escape(said)):
        describe(**settings)


def test_every_object_of_a_schema_is_closed() -> None:
    schema = describe().schema
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Money"]["additionalProperties"] is False
    assert schema["properties"]["rows"]["items"]["additionalProperties"] is False
