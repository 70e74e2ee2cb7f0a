from typing import Any

import pytest

from oneact.errors import Reason
from oneact.protocol import fitting, schema
from tests.protocol.flight import text_schema
from tests.protocol.refusing import expect_no_refusal, expect_refusal


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _deep(levels: int) -> dict[str, Any]:
    node: dict[str, Any] = {"type": "integer"}
    for _ in range(levels):
        node = {"type": "array", "items": node}
    return _object(a=node)


@pytest.mark.parametrize(
    "node",
    [
        {},
        {"type": ["string", "null"], "title": "t", "description": "d", "default": None, "examples": [1], "format": "x"},
        {
            "type": "integer",
            "minimum": 0,
            "maximum": 9,
            "exclusiveMinimum": -1,
            "exclusiveMaximum": 10,
            "multipleOf": 3,
        },
        {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^a$"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2, "uniqueItems": True},
        {"enum": [1, "a", None, [1]]},
        {"const": {"a": 1}},
        {"anyOf": [{"type": "null"}, {"type": "string"}]},
        {"oneOf": [{"const": 1}, {"const": 2}]},
        {"allOf": [{"minimum": 1}, {"maximum": 2}]},
        {"$ref": "#/$defs/b"},
        {"required": ["a"]},
        _object(c={"type": "string"}) | {"minProperties": 1, "maxProperties": 2},
    ],
)
def test_a_schema_of_this_part_passes(node: dict[str, Any]) -> None:
    with expect_no_refusal():
        schema.check_schema(_object(a=node) | {"$defs": {"b": {"type": "string"}}, "$schema": "x", "$comment": "y"})


@pytest.mark.parametrize(
    "node",
    [
        None,
        True,
        [],
        {"type": "number"},
        {"type": []},
        {"type": [1]},
        {"type": ["string", "string"]},
        {"type": {"object": 1}},
        {"type": "object"},
        {"type": ["object", "null"]},
        {"properties": {}},
        {"type": "object", "additionalProperties": True},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"properties": {"a": 1}, "additionalProperties": False},
        {"properties": [], "additionalProperties": False},
        {"patternProperties": {}},
        {"unevaluatedProperties": False},
        {"not": {}},
        {"if": {}},
        {"contains": {}},
        {"$dynamicRef": "#a"},
        {"items": [{"type": "string"}]},
        {"prefixItems": []},
        {"required": "a"},
        {"required": [1]},
        {"enum": []},
        {"enum": 1},
        {"pattern": "("},
        {"pattern": "a{99999999999999999999}"},
        {"pattern": 1},
        {"pattern": "(?=a)"},
        {"pattern": "(?P<a>a)"},
        {"pattern": "a" * 1025},
        {"uniqueItems": 1},
        {"minimum": "1"},
        {"minimum": True},
        {"anyOf": []},
        {"anyOf": {}},
        {"oneOf": [1]},
        {"allOf": [{"type": "object"}]},
        {"$ref": "https://elsewhere.example/schema"},
        {"$ref": "#/$defs/absent"},
        {"$ref": "#/properties/a"},
        {"$ref": 1},
        {"$defs": {"b": {"type": "object"}}},
    ],
)
def test_a_schema_outside_this_part_is_refused(node: Any) -> None:
    with expect_refusal(Reason.ACTION_INVALID):
        schema.check_schema(_object(a=node))
    with expect_refusal(Reason.METADATA_INVALID):
        schema.check_schema(_object(a=node), Reason.METADATA_INVALID)


@pytest.mark.parametrize("value", [None, [], {}, {"type": "array"}, {"type": "object"}, {"type": ["object"]}])
def test_a_schema_that_is_no_closed_object_is_refused(value: Any) -> None:
    with expect_refusal(Reason.ACTION_INVALID):
        schema.check_schema(value)


def test_a_reference_is_refused_where_the_definitions_are_no_schema() -> None:
    refused: list[Any] = [{"b": 1}, [], None]
    for definitions in refused:
        with expect_refusal(Reason.ACTION_INVALID):
            schema.check_schema({**_object(a={"$ref": "#/$defs/b"}), "$defs": definitions})


def test_a_schema_nested_over_64_levels_is_refused() -> None:
    schema.check_schema(_deep(60))
    with expect_refusal(Reason.ACTION_INVALID):
        schema.check_schema(_deep(70))


_FITTING: list[tuple[dict[str, Any], Any, Any]] = [
    ({"type": "null"}, None, 0),
    ({"type": "boolean"}, False, 0),
    ({"type": "integer"}, 0, False),
    ({"type": "integer"}, 1, "1"),
    ({"type": "string"}, "", None),
    ({"type": "array"}, [], {}),
    ({"type": ["string", "null"]}, None, 1),
    ({"minimum": 2}, 2, 1),
    ({"maximum": 2}, 2, 3),
    ({"exclusiveMinimum": 2}, 3, 2),
    ({"exclusiveMaximum": 2}, 1, 2),
    ({"multipleOf": 3}, 6, 7),
    ({"minLength": 2}, "ab", "a"),
    ({"maxLength": 2}, "\U0001f600\U0001f600", "abc"),
    ({"minItems": 1}, [1], []),
    ({"maxItems": 1}, [1], [1, 2]),
    ({"uniqueItems": True}, [1, True, "1"], [{"a": 1}, {"a": 1}]),
    ({"items": {"type": "string"}}, ["a"], ["a", 1]),
    ({"enum": [1, "a"]}, 1, True),
    ({"const": {"a": 1}}, {"a": 1}, {"a": True}),
    ({"pattern": "^[A-Z]{3}$"}, "SFO", "SFO\n"),
    ({"pattern": "^[$]\\$$"}, "$$", "$$\n"),
    ({"pattern": "^\\d$"}, "1", "\u0661"),
    ({"pattern": "b"}, "abc", "ac"),
    ({"anyOf": [{"type": "null"}, {"type": "string"}]}, "a", 1),
    ({"oneOf": [{"minimum": 1}, {"minimum": 2}]}, 1, 2),
    ({"oneOf": [{"minimum": 1}, {"minimum": 2}]}, 1, 0),
    ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, 2, 3),
    ({"required": ["b"]}, {"b": 1, "c": 2}, {"c": 2}),
    ({"$ref": "#/$defs/b"}, "ab", "a"),
    (_object(c={"type": "string"}) | {"minProperties": 1}, {"c": "d"}, {}),
    (_object(c={}, d={}) | {"maxProperties": 1}, {"c": 1}, {"c": 1, "d": 1}),
]


@pytest.mark.parametrize(("node", "fits", "does_not"), _FITTING)
def test_a_value_fits_or_does_not_by_each_keyword(node: dict[str, Any], fits: Any, does_not: Any) -> None:
    root = _object(a=node) | {"$defs": {"b": {"type": "string", "minLength": 2}}}
    schema.check_schema(root)
    fitting.validate(root, {"a": fits})
    with expect_refusal(Reason.PARAMETERS_INVALID):
        fitting.validate(root, {"a": does_not})


def test_a_bound_says_nothing_of_values_of_another_type() -> None:
    bounds = dict.fromkeys(("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "multipleOf"), 1)
    root = _object(a=bounds | {"exclusiveMinimum": 1, "exclusiveMaximum": 1, "minProperties": 1, "maxProperties": 1})
    with expect_no_refusal():
        for value in (None, True):
            fitting.validate(root, {"a": value})
    for value in (0, "", []):
        with expect_refusal(Reason.PARAMETERS_INVALID):
            fitting.validate(root, {"a": value})


def test_a_missing_member_is_invalid_and_an_unlisted_one_unknown() -> None:
    root = text_schema("from", "to")
    fitting.validate(root, {"from": "a", "to": "b"})
    with expect_refusal(Reason.PARAMETERS_INVALID):
        fitting.validate(root, {"from": "a"})
    with expect_refusal(Reason.PARAMETER_UNKNOWN):
        fitting.validate(root, {"from": "a", "to": "b", "via": "c"})


def test_an_object_that_lists_no_properties_takes_none() -> None:
    root: dict[str, Any] = {"type": "object", "additionalProperties": False}
    schema.check_schema(root)
    fitting.validate(root, {})
    with expect_refusal(Reason.PARAMETER_UNKNOWN):
        fitting.validate(root, {"a": 1})


def test_required_members_may_stand_in_an_alternative() -> None:
    root = _object(a={}, b={}) | {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    schema.check_schema(root)
    fitting.validate(root, {"b": 1})
    with expect_refusal(Reason.PARAMETERS_INVALID):
        fitting.validate(root, {})


_B: dict[str, Any] = {"$ref": "#/$defs/b"}


@pytest.mark.parametrize(
    "definitions",
    [
        {"b": _B},
        {"b": {"anyOf": [_B, _B]}},
        {"b": {"type": "array", "items": _B}},
        {"b": _object(c=_B)},
        {"b": {"allOf": [{"$ref": "#/$defs/c"}]}, "c": {"items": _B}},
    ],
)
def test_a_schema_that_leads_to_itself_is_refused(definitions: dict[str, Any]) -> None:
    for used in ({}, _B):
        with expect_refusal(Reason.ACTION_INVALID):
            schema.check_schema({**_object(a=used), "$defs": definitions})


def _doubling(times: int) -> dict[str, Any]:
    twice = {f"d{number}": {"anyOf": [{"$ref": f"#/$defs/d{number + 1}"}] * 2} for number in range(times)}
    return {**_object(a={"$ref": "#/$defs/d0"}), "$defs": {**twice, f"d{times}": {"type": "string"}}}


def test_a_schema_is_counted_with_its_references_followed() -> None:
    schema.check_schema(_doubling(8))
    fitting.validate(_doubling(8), {"a": "x"})
    with expect_refusal(Reason.ACTION_INVALID):
        schema.check_schema(_doubling(10))
    schema.check_schema(_object(**{f"p{number}": {} for number in range(schema.MAX_SCHEMAS - 1)}))
    with expect_refusal(Reason.ACTION_INVALID):
        schema.check_schema(_object(**{f"p{number}": {} for number in range(schema.MAX_SCHEMAS)}))


@pytest.mark.parametrize("backwards", [False, True])
def test_a_schema_is_as_deep_as_its_references_lead(*, backwards: bool) -> None:
    def chain(length: int) -> dict[str, Any]:
        links = [(f"d{number}", {"$ref": f"#/$defs/d{number + 1}"}) for number in range(length)]
        links.append((f"d{length}", {}))
        return {**_object(a={"$ref": "#/$defs/d0"}), "$defs": dict(reversed(links) if backwards else links)}

    schema.check_schema(chain(62))
    fitting.validate(chain(62), {"a": 1})
    with expect_refusal(Reason.ACTION_INVALID):
        schema.check_schema(chain(63))


def test_a_value_that_takes_too_much_work_is_refused() -> None:
    choices = [{"minimum": number} for number in range(500)]
    root = _object(a={"type": "array", "items": {"allOf": choices}})
    schema.check_schema(root)
    fitting.validate(root, {"a": [500] * 50})
    with expect_refusal(Reason.PARAMETERS_INVALID):
        fitting.validate(root, {"a": [500] * 500})


def test_work_that_ends_within_an_alternative_is_not_taken_for_an_alternative_that_does_not_fit() -> None:
    endless = {"type": "array", "items": {"allOf": [{}] * 500}}
    root = _object(a={"oneOf": [{"type": "array"}, endless]})
    schema.check_schema(root)
    with expect_refusal(Reason.PARAMETERS_INVALID):
        fitting.validate(root, {"a": [1] * 500})
    with expect_refusal(Reason.PARAMETERS_INVALID):
        fitting.validate(root, {"a": [1]})


@pytest.mark.parametrize(
    "node",
    [
        {"enum": [[number] for number in range(3000)]},
        {"const": "y" * 10_000},
        {"pattern": "^(?:(?:a?){0,99}){0,99}$"},
        {"anyOf": [{"required": ["x" * 9] * 3000}, {}]},
    ],
)
def test_work_of_every_kind_counts(node: dict[str, Any]) -> None:
    root = _object(a={"type": "array", "items": {"anyOf": [node, {}]}})
    schema.check_schema(root)
    with expect_refusal(Reason.PARAMETERS_INVALID):
        fitting.validate(root, {"a": ["a" * 500 + "b", {}] * 5_000})


def test_filling_in_takes_no_more_work_than_checking() -> None:
    chained = {f"d{number}": {"$ref": f"#/$defs/d{number + 1}"} for number in range(50)}
    item = _object(**{f"p{number}": {"$ref": "#/$defs/d0"} for number in range(40)})
    listed = _object(a={"type": "array", "items": item})
    root = {**listed, "$defs": {**chained, "d50": {"default": 1}}}
    schema.check_schema(root)
    filled = fitting.fill(root, {"a": [{}]})
    assert filled == {"a": [{f"p{number}": 1 for number in range(40)}]}
    with expect_refusal(Reason.PARAMETERS_INVALID):
        fitting.fill(root, {"a": [{}] * 200})


def test_the_largest_list_that_could_be_shown_is_little_work() -> None:
    root = _object(a={"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^x$"}]}})
    with expect_no_refusal():
        fitting.validate(root, {"a": ["x"] * 8_192})


def test_a_schema_that_was_never_checked_still_refuses() -> None:
    unchecked: list[tuple[dict[str, Any], Any]] = [
        ({"properties": []}, {}),
        ({"required": "a"}, {}),
        ({"properties": {"a": 1}}, {"a": 1}),
        ({"$ref": "#/$defs/b", "$defs": {"b": _B}}, {}),
    ]
    for root, value in unchecked:
        with expect_refusal(Reason.PARAMETERS_INVALID):
            fitting.validate(root, value)
    with expect_refusal(Reason.PARAMETERS_INVALID):
        fitting.fill({"$ref": "#/$defs/b", "$defs": {"b": _B}}, {})


def test_defaults_fill_absent_members_at_every_object() -> None:
    inner = _object(c={"type": "string", "default": "x"})
    root = _object(
        a={"type": "integer", "default": 7},
        b=inner,
        d={"type": "array", "items": {"$ref": "#/$defs/e"}},
        f={"type": "string"},
    ) | {"$defs": {"e": inner}}
    assert fitting.fill(root, {"b": {}, "d": [{}, {"c": "y"}]}) == {
        "a": 7,
        "b": {"c": "x"},
        "d": [{"c": "x"}, {"c": "y"}],
    }
    assert fitting.fill(root, {"a": 1, "b": {"c": "z"}}) == {"a": 1, "b": {"c": "z"}}


def test_filling_leaves_what_it_does_not_know() -> None:
    root = _object(a={"type": "integer", "default": 7}, b={})
    assert fitting.fill(root, {"more": 1}) == {"more": 1, "a": 7}
    assert fitting.fill(root, {"b": [1]}) == {"a": 7, "b": [1]}
    assert fitting.fill(root, [1]) == [1]
    assert fitting.fill(_object(a=1), {"a": 2}) == {"a": 2}
