from __future__ import annotations

from typing import Any

from oneact.cli.actions import lines
from oneact.errors import Reason
from oneact.protocol import action
from tests.agent.test_flow import DOCUMENT
from tests.protocol.refusing import expect_refusal


def told(properties: dict[str, Any], **more: Any) -> list[str]:
    schema = {"type": "object", "additionalProperties": False, "properties": properties, **more}
    described = {**DOCUMENT, "schema": schema, "sources": dict.fromkeys(properties, "body"), "reversible": True}
    return list(lines(action.parse({**described, "terms": None})))


def test_every_kind_of_parameter_is_put_in_words() -> None:
    found = told(
        {
            "to": {"type": "string", "description": "Where to"},
            "date": {"type": "string", "format": "date"},
            "bags": {"type": "array", "items": {"$ref": "#/$defs/bag"}},
            "seat": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
            "meal": {"enum": ["none", "vegan"]},
            "cabin": {"const": "economy"},
            "price": {"$ref": "#/$defs/money"},
            "note": {"type": ["string", "null"]},
            "any": {},
        },
        required=["to"],
        **{
            "$defs": {
                "bag": {"type": "integer"},
                "money": {
                    "type": "object", "additionalProperties": False, "properties": {"amount": {"type": "string"}},
                },
            }
        },
    )  # fmt: skip
    assert found == [
        "book_flight: Book a flight",
        "  to     string, needed  Where to",
        "  date   string (date), optional",
        "  bags   array of integer, optional",
        "  seat   integer or null, optional, else null",
        '  meal   "none" or "vegan", optional',
        '  cabin  "economy", optional',
        "  price  object of amount, optional",
        "  note   string or null, optional",
        "  any    any value, optional",
    ]


def test_a_definition_is_found_by_its_whole_name() -> None:
    definitions = {"b": {"type": "string"}, "a/b": {"type": "integer"}}
    assert told({"to": {"$ref": "#/$defs/a/b"}}, **{"$defs": definitions})[1] == "  to  integer, optional"


def test_an_action_whose_schema_leads_back_to_itself_is_none() -> None:
    tree = {"type": "array", "items": {"$ref": "#/$defs/tree"}}
    with expect_refusal(Reason.ACTION_INVALID):
        told({"tree": {"$ref": "#/$defs/tree"}}, **{"$defs": {"tree": tree}})


def test_what_a_service_writes_cannot_reach_the_terminals_controls() -> None:
    text = "\n".join(told({"to": {"type": "string", "description": "\x1b[2J\u202e\n"}}))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(text.splitlines()) == 2


def test_what_the_service_states_is_listed_apart_and_what_cannot_be_undone_is_said() -> None:
    found = list(lines(action.parse(DOCUMENT)))
    assert found[0] == "book_flight: Book a flight, cannot be undone"
    assert found[-2:] == ["  and the service states, in its offer:", "  price  string, optional"]
