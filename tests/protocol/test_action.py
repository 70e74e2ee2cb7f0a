from typing import Any

import pytest

from oneact.errors import Reason
from oneact.protocol import action, canonical
from tests.protocol.flight import document, text_schema
from tests.protocol.refusing import expect_refusal

_ENTRY = {"pointer": "/parameters/from", "label": "From", "format": "text"}


def test_an_action_is_read_whole_and_named_by_its_document() -> None:
    found = action.parse(document())
    assert (found.name, found.method, found.path, found.intent) == ("book_flight", "POST", "/bookings", "Book a flight")
    assert found.digest == canonical.digest(document())
    assert found.document == document()
    assert found.rule == action.Rule(1, requester_excluded=False)
    assert [entry.section for entry in found.display] == ["parameter", "parameter", "parameter", "term"]
    assert found.formats["/terms/price"] == "money"
    assert found.terms == document()["terms"]
    assert found.sources == document()["sources"]
    assert found.schema == document()["schema"]
    assert not found.reversible


@pytest.mark.parametrize("name", sorted(document()))
def test_every_member_is_in_the_digest_and_has_to_be_there(name: str) -> None:
    members = document()
    del members[name]
    with expect_refusal(Reason.ACTION_INVALID):
        action.parse(members)


@pytest.mark.parametrize(
    "change",
    [
        {"intent": "Book"},
        {"summary": ""},
        {"reversible": True},
        {"method": "PUT"},
        {"path": "/other"},
        {"action": "book"},
        {"display": []},
        {"rule": {"approvers": 2, "requester_excluded": False}},
        {"rule": {"approvers": 1, "requester_excluded": True}},
        {"terms": text_schema()},
    ],
)
def test_another_description_is_another_action(change: dict[str, Any]) -> None:
    assert action.parse(document(**change)).digest != action.parse(document()).digest


def test_an_action_without_terms_is_read() -> None:
    found = action.parse(document(terms=None, display=[_ENTRY]))
    assert found.terms is None


def test_an_action_without_parameters_is_read() -> None:
    bare = {"type": "object", "additionalProperties": False}
    assert action.parse(document(schema=bare, sources={}, display=[], summary="")).sources == {}


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"action": "Book"},
        {"action": ""},
        {"action": "book_flight\n"},
        {"action": "b" * 65},
        {"action": 1},
        {"method": "GET"},
        {"method": "post"},
        {"method": ["POST"]},
        {"method": None},
        {"path": "bookings"},
        {"path": 1},
        {"path": ""},
        {"intent": ""},
        {"intent": "a" * 81},
        {"intent": None},
        {"reversible": 0},
        {"reversible": None},
        {"summary": None},
        {"summary": "a" * 2049},
        {"summary": "{"},
        {"summary": "}"},
        {"summary": "{{/parameters/from}}"},
        {"summary": "{from}"},
        {"summary": "{}"},
        {"summary": "{/other/from}"},
        {"summary": "{/parameters}"},
        {"summary": "{/parameters/}"},
        {"summary": "{/parameters/~2}"},
        {"summary": "{/parameters/from\n}x{"},
        {"display": {}},
        {"display": [_ENTRY, _ENTRY]},
        {"display": [1]},
        {"display": [{**_ENTRY, "more": 1}]},
        {"display": [{**_ENTRY, "format": "html"}]},
        {"display": [{**_ENTRY, "format": ["text"]}]},
        {"display": [{**_ENTRY, "pointer": "from"}]},
        {"display": [{**_ENTRY, "pointer": 1}]},
        {"display": [{**_ENTRY, "label": ""}]},
        {"display": [{**_ENTRY, "label": "a" * 81}]},
        {"display": [{**_ENTRY, "pointer": f"/parameters/{number}"} for number in range(201)]},
        {"terms": None},
        {"terms": None, "display": [], "summary": "For {/terms/price}"},
        {"terms": []},
        {"terms": {"type": "object"}},
        {"schema": None},
        {"schema": {"type": "string"}},
        {"schema": {"type": "object"}},
        {"sources": []},
        {"sources": {}},
        {"sources": {"from": "body", "to": "body", "date": "body", "more": "body"}},
        {"sources": {"from": "cookie", "to": "body", "date": "body"}},
        {"sources": {"from": ["body"], "to": "body", "date": "body"}},
        {"rule": None},
        {"rule": {"approvers": 1}},
        {"rule": {"approvers": 0, "requester_excluded": False}},
        {"rule": {"approvers": 4, "requester_excluded": False}},
        {"rule": {"approvers": True, "requester_excluded": False}},
        {"rule": {"approvers": 1, "requester_excluded": 0}},
        {"schema": text_schema("from", "to", "date", more={"description": "a" * 33_000})},
    ],
)
def test_a_description_outside_the_form_is_refused(change: dict[str, Any]) -> None:
    with expect_refusal(Reason.ACTION_INVALID):
        action.parse(document(**change))


@pytest.mark.parametrize("value", [None, [], "book_flight", 1])
def test_what_is_no_object_is_refused(value: Any) -> None:
    with expect_refusal(Reason.ACTION_INVALID):
        action.parse(value)


def test_a_summary_splits_into_texts_and_pointers_in_turns() -> None:
    assert action.split_summary("a {/parameters/b} c") == ("a ", "/parameters/b", " c")
    assert action.split_summary("a") == ("a",)
