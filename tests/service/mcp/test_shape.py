"""A tool is an action that can be shown and signed whole, and what it is called with comes out of the act exactly."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneact.errors import Reason, Refusal
from oneact.protocol import display
from oneact.protocol.action import NAME
from oneact.service.mcp import publishing, shape, texts

PATH = "/oneact/tools/{name}"
SCALE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "factor": {"type": "number", "default": 1.5, "description": "how much", "title": "Factor"},
        "count": {"type": "integer"},
        "options": {"type": "object"},
    },
    "required": ["count"],
}
EDITS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "path": {"type": "string"},
        "edits": {
            "type": "array",
            "items": {"type": "object", "properties": {"old": {"type": "string"}}, "required": ["old"]},
        },
    },
    "required": ["path", "edits"],
    "additionalProperties": False,
    "$schema": "http://json-schema.org/draft-07/schema#",
}
MODEL: dict[str, Any] = {
    "type": "object",
    "properties": {"found": {"$ref": "#/$defs/Model"}, "note": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
    "$defs": {
        "Model": {
            "type": "object",
            "properties": {"inner": {"$ref": "#/$defs/Inner"}, "same": {"$ref": "#/$defs/Inner"}},
        },
        "Inner": {"type": "object", "properties": {"k": {"type": "integer"}}},
        "Unused": {"type": "number"},
    },
}


def made(described: dict[str, Any], name: str = "tool", **said: Any) -> shape.Shape:
    return shape.of_tool(name, described, **{"intent": "Run a tool", "path": PATH, **said})


def member(node: Any, **more: Any) -> shape.Shape:
    return made({"type": "object", "properties": {"it": node}, **more})


def test_what_can_be_published_stands_as_it_is_and_closed() -> None:
    found = made(EDITS)
    assert (found.texts, found.whole, found.action.path) == (frozenset(), False, "/oneact/tools/tool")
    assert found.action.schema["properties"]["edits"]["items"]["additionalProperties"] is False  # type: ignore[index,call-overload]  # JSON
    arguments = {"path": "a", "edits": [{"old": "b"}]}
    assert found.normalise(found.parameters(arguments)) == arguments == found.arguments(arguments)
    with pytest.raises(Refusal) as refused:
        found.normalise({**arguments, "dryRun": True})
    assert refused.value.reason is Reason.PARAMETER_UNKNOWN


def test_what_cannot_be_published_stands_as_the_one_text_of_its_value() -> None:
    found = made(SCALE)
    assert found.texts == {"factor", "options"}
    signed = found.normalise(found.parameters({"count": 3, "options": {"b": 0.10, "a": [1.0]}}))
    assert signed == {"count": 3, "options": '{"a":[1],"b":0.1}', "factor": "1.5"}
    assert found.arguments(signed) == {"count": 3, "options": {"a": [1], "b": 0.1}, "factor": 1.5}
    shown = {line[1]: line[3] for line in display.render(found.action, signed, None)}
    assert shown["factor (JSON)"] == "1.5"


@pytest.mark.parametrize("text", ["1.50", "1e0", " 1", "{", "NaN", '{"b":1,"a":2}', '{"a":1,"a":1}', "9" * 400])
def test_a_text_that_is_not_the_one_text_of_its_value_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        made(SCALE).normalise({"count": 1, "factor": text})
    assert (refused.value.reason, refused.value.field) == (Reason.PARAMETERS_INVALID, "factor")


def test_a_tool_that_takes_any_members_has_all_its_arguments_in_one_text() -> None:
    for described in (
        {"type": "object"},
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["b"]},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": "a"},
        {"type": "object", "properties": {"a": {"type": "string"}}, "oneOf": [{}]},
        {"type": "object", "properties": {"{a}": {"type": "string"}}},  # a name that no pointer of a template has
        {},
    ):
        found = made(described)
        assert found.whole, described
        signed = found.normalise(found.parameters({"b": 1.5, "a": "x"}))
        assert signed == {"arguments": '{"a":"x","b":1.5}'}
        assert found.arguments(signed) == {"b": 1.5, "a": "x"}
        assert found.normalise(found.parameters({})) == {"arguments": "{}"}
        for text in ("[]", "null"):
            with pytest.raises(Refusal) as refused:
                found.normalise({"arguments": text})
            assert refused.value.field == "arguments"


def test_the_arguments_of_a_whole_tool_are_an_object_also_where_nobody_validated_them() -> None:
    assert made({}).arguments({"arguments": "[]"}) == {}


def test_a_tool_without_parameters_takes_none() -> None:
    found = made({"type": "object", "properties": {}})
    assert not found.whole
    assert found.normalise(found.parameters({})) == {}


def test_definitions_are_published_where_something_refers_to_them() -> None:
    found = made(MODEL)
    assert found.texts == frozenset()
    definitions = found.action.schema["$defs"]
    assert isinstance(definitions, dict)
    assert definitions.keys() == {"Model", "Inner"}


@pytest.mark.parametrize(
    "node",
    [
        {},
        {"description": "anything"},
        {"type": "string", "pattern": "(?=a)"},
        {"type": "array"},
        {"type": ["object", "null"]},
        {"type": "array", "items": {}},
        {"anyOf": [{"type": "number"}, {"type": "string"}]},
        {"anyOf": [{"type": "object"}, {"type": "string"}]},
        {"$ref": "#/$defs/Loop"},
        {"$ref": "#/$defs/Open"},
        {"$ref": "#/$defs/Anything"},
        {"$ref": "https://elsewhere.example/schema"},
        {"enum": [1.5]},
        {"type": "string", "x-unknown": 1},
        True,
    ],
)
def test_a_member_of_which_a_schema_says_too_little_or_too_much_is_a_text(node: Any) -> None:
    definitions = {
        "Loop": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Loop"}}},
        "Open": {"type": "object", "additionalProperties": True},
        "Anything": True,
    }
    found = member(node, **{"$defs": definitions})
    assert found.texts == {"it"}
    assert found.arguments(found.normalise(found.parameters({"it": [1.25, {}]}))) == {"it": [1.25, {}]}


def test_a_default_that_does_not_fit_is_left_out() -> None:
    found = member({"type": "string", "default": None})
    assert found.normalise({}) == {}
    assert member({"type": "string", "default": "x"}).normalise({}) == {"it": "x"}
    assert member({"type": "number", "default": float("nan")}).normalise({}) == {}


def test_no_word_of_a_foreign_tool_is_published_as_a_label() -> None:
    node = {
        "type": "object",
        "title": "Evil",
        "description": "Evil",
        "properties": {"title": {"type": "string", "title": "Evil", "enum": ["a", "title"]}},
        "required": ["title"],
        "anyOf": [{"type": "object", "properties": {"title": {"type": "string", "title": "Evil"}}}],
    }
    described = {
        "type": "object",
        "properties": {"it": node, "far": {"type": "number", "title": "Evil", "description": "Evil"}},
        "title": "Evil",
    }
    foreign, own = made(described, foreign=True), made(described)
    assert "Evil" not in str(foreign.action.document)
    assert "Evil" in str(own.action.document)
    assert foreign.normalise({"it": {"title": "a"}}) == {"it": {"title": "a"}}


@pytest.mark.parametrize(
    "arguments", [{"count": 1.5}, {"count": 2**53}, {"count": 1, "options": 2**60}, {"count": {1}}]
)
def test_what_has_no_exact_form_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        made(SCALE).parameters(arguments)
    assert refused.value.reason is Reason.PARAMETERS_INVALID


def test_what_an_owner_says_wrong_of_a_tool_is_told_and_not_passed_over() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        made(EDITS, summary="Edit {nowhere}")
    with pytest.raises(ValueError, match="nowhere"):
        made(EDITS, display={"nowhere": "Somewhere"})


def test_names_that_are_no_names_of_actions_get_one_that_no_other_tool_has() -> None:
    names = ["write_file", "writeFile", "write-file", "Write File", "запис", "7zip", "a" * 100, "a" * 101]
    found = [shape.name_of(name) for name in names]
    assert found[0] == "write_file"
    assert len(set(found)) == len(names)
    assert all(NAME.match(name) for name in found)


finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text() | finite,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
keywords = st.sampled_from(["type", "properties", "items", "anyOf", "$ref", "$defs", "enum", "default"])
schemas = st.recursive(
    values | st.just({"type": "object"}),
    lambda inner: st.dictionaries(keywords, inner | st.lists(inner)),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), values, max_size=4))
def test_whatever_a_tool_is_called_with_comes_out_of_the_act_again(arguments: dict[str, Any]) -> None:
    found = made({})
    signed = found.normalise(found.parameters(arguments))
    assert found.arguments(signed) == arguments
    assert found.parameters(found.arguments(signed)) == signed


@given(schemas)
def test_whatever_schema_a_foreign_tool_has_there_is_an_action(described: Any) -> None:
    root = described if isinstance(described, dict) else {"it": described}
    found = made({"type": "object", "properties": root}, foreign=True)
    assert found.action.digest
    assert publishing.WHOLE in found.action.schema["properties"] or not found.whole  # type: ignore[operator]  # JSON


def test_what_a_program_gave_is_read_once_for_each_name() -> None:
    assert texts.given('{"a":0.5,"b":[1,2.0]}') == {"a": 0.5, "b": [1, 2.0]}
    for text, reason in (
        ('{"a":1,"a":2}', Reason.JSON_DUPLICATE_KEY),
        ('{"a":NaN}', Reason.JSON_MALFORMED),
        ("{", Reason.JSON_MALFORMED),
        ("[" * 100_000, Reason.JSON_MALFORMED),
    ):
        with pytest.raises(Refusal) as refused:
            texts.given(text)
        assert refused.value.reason is reason
