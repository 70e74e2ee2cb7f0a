"""The part of JSON Schema 2020-12 in which parameters and terms are described: closed, local, without floats.

A keyword outside this part is refused when the action is read, so no constraint is ever silently ignored.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.protocol.canonical import Json

_ANNOTATIONS: Final = frozenset(
    {
        "$schema",
        "$comment",
        "title",
        "description",
        "default",
        "examples",
        "format",
        "deprecated",
        "readOnly",
        "writeOnly",
    }
)
_SCHEMAS: Final = frozenset({"items"})
_SCHEMA_LISTS: Final = frozenset({"anyOf", "oneOf", "allOf"})
_SCHEMA_MAPS: Final = frozenset({"properties", "$defs"})
_TYPES: Final[dict[str, Callable[[Json], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: type(value) is int,
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_MAX_DEPTH: Final = 64
_MAX_PATTERN: Final = 1024  # characters: compiled patterns are kept, whoever published them
# An escape, a class or a `$`: in the regular expressions of JSON Schema, `$` never stands before a final line feed.
_PATTERN_PART: Final = re.compile(r"\\.|\[\^?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)


def check_schema(schema: Json, reason: Reason = Reason.ACTION_INVALID) -> None:
    """Refuse a schema that is not an object schema of this part, closed at every object."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise Refusal(reason, "the schema does not describe an object")
    _check(schema, schema, reason, 0)


def validate(schema: dict[str, Json], value: Json) -> None:
    """Refuse a value that does not fit a schema which `check_schema` has passed.

    A member that the schema does not list is `parameter_unknown`, anything else `parameters_invalid`.
    """
    _Validator(schema).visit(schema, value, 0)


def fill(schema: dict[str, Json], value: Json) -> Json:
    """Give the value with the schema's defaults in place of absent members, at every object."""
    node = _follow(schema, schema)
    return _fill(schema, node, value)


def _fill(root: dict[str, Json], node: dict[str, Json], value: Json) -> Json:
    if isinstance(value, list) and isinstance(node.get("items"), dict):
        return [_fill(root, _follow(root, node["items"]), item) for item in value]
    properties = node.get("properties")
    if not isinstance(value, dict) or not isinstance(properties, dict):
        return value
    filled: dict[str, Json] = {}
    for name, member in properties.items():
        inner = _follow(root, member)
        if name in value:
            filled[name] = _fill(root, inner, value[name])
        elif "default" in inner:
            filled[name] = inner["default"]
    return {**value, **filled}


def _check(root: dict[str, Json], node: Json, reason: Reason, depth: int) -> None:
    if not isinstance(node, dict) or depth > _MAX_DEPTH:
        raise Refusal(reason, "a schema is not an object, or is nested too deep")
    for keyword, argument in node.items():
        _check_keyword(root, keyword, argument, reason, depth)
    names = node.get("type")
    objects = names == "object" or (isinstance(names, list) and "object" in names)
    if ("properties" in node or objects) and node.get("additionalProperties") is not False:
        raise Refusal(reason, "an object is not closed by additionalProperties: false")


def _check_keyword(root: dict[str, Json], keyword: str, argument: Json, reason: Reason, depth: int) -> None:
    children: list[Json] = []
    if keyword in _SCHEMAS:
        children = [argument]
    elif keyword in _SCHEMA_LISTS and isinstance(argument, list) and argument:
        children = argument
    elif keyword in _SCHEMA_MAPS and isinstance(argument, dict):
        children = list(argument.values())
    elif keyword == "$ref":
        _resolve(root, argument, reason)
    elif keyword not in _ANNOTATIONS and not _argument_fits(keyword, argument):
        raise Refusal(reason, f"keyword {keyword!r} is not in this part of JSON Schema")
    for child in children:
        _check(root, child, reason, depth + 1)


def _argument_fits(keyword: str, argument: Json) -> bool:
    if keyword == "type":
        names = argument if isinstance(argument, list) else [argument]
        return bool(names) and all(isinstance(name, str) and name in _TYPES for name in names)
    if keyword == "required":
        return isinstance(argument, list) and all(isinstance(name, str) for name in argument)
    if keyword == "enum":
        return isinstance(argument, list) and bool(argument)
    if keyword == "pattern":
        return isinstance(argument, str) and len(argument) <= _MAX_PATTERN and _compiles(argument)
    if keyword in {"additionalProperties", "uniqueItems"}:
        return isinstance(argument, bool)
    return keyword == "const" or (keyword in _BOUNDS and type(argument) is int)


def _compiles(pattern: str) -> bool:
    try:
        _compiled(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern as JSON Schema means it (ECMA-262): digits are ASCII, `$` is the very end."""
    return re.compile(_PATTERN_PART.sub(lambda part: r"\Z" if part[0] == "$" else part[0], pattern), re.ASCII)


def _resolve(root: dict[str, Json], reference: Json, reason: Reason) -> dict[str, Json]:
    definitions = root.get("$defs")
    if isinstance(reference, str) and reference.startswith("#/$defs/") and isinstance(definitions, dict):
        target = definitions.get(reference.removeprefix("#/$defs/"))
        if isinstance(target, dict):
            return target
    raise Refusal(reason, "a $ref is not to a local definition")


def _follow(root: dict[str, Json], node: Json) -> dict[str, Json]:
    for _ in range(_MAX_DEPTH):
        if not isinstance(node, dict) or "$ref" not in node:
            return node if isinstance(node, dict) else {}
        node = _resolve(root, node["$ref"], Reason.ACTION_INVALID)
    raise Refusal(Reason.ACTION_INVALID, "a $ref leads to itself")


_BOUNDS: Final[dict[str, Callable[[Json, int], bool]]] = {
    "minimum": lambda value, bound: type(value) is not int or value >= bound,
    "maximum": lambda value, bound: type(value) is not int or value <= bound,
    "exclusiveMinimum": lambda value, bound: type(value) is not int or value > bound,
    "exclusiveMaximum": lambda value, bound: type(value) is not int or value < bound,
    "multipleOf": lambda value, bound: type(value) is not int or (bound > 0 and value % bound == 0),
    "minLength": lambda value, bound: not isinstance(value, str) or len(value) >= bound,
    "maxLength": lambda value, bound: not isinstance(value, str) or len(value) <= bound,
    "minItems": lambda value, bound: not isinstance(value, list) or len(value) >= bound,
    "maxItems": lambda value, bound: not isinstance(value, list) or len(value) <= bound,
    "minProperties": lambda value, bound: not isinstance(value, dict) or len(value) >= bound,
    "maxProperties": lambda value, bound: not isinstance(value, dict) or len(value) <= bound,
}


class _Validator:
    """One walk over a value and the schema it has to fit."""

    def __init__(self, root: dict[str, Json]) -> None:
        self._root = root

    def visit(self, node: Json, value: Json, depth: int) -> None:
        if depth > _MAX_DEPTH or not isinstance(node, dict):
            raise Refusal(Reason.PARAMETERS_INVALID, "nested too deep")
        if "$ref" in node:
            self.visit(_resolve(self._root, node["$ref"], Reason.PARAMETERS_INVALID), value, depth + 1)
        self._values(node, value)
        for keyword, bound in _BOUNDS.items():
            argument = node.get(keyword)
            if type(argument) is int and not bound(value, argument):
                raise Refusal(Reason.PARAMETERS_INVALID, f"{keyword} {argument}")
        self._alternatives(node, value, depth)
        if isinstance(value, dict):
            self._members(node, value, depth)
        if isinstance(value, list) and "items" in node:
            for item in value:
                self.visit(node["items"], item, depth + 1)

    def _values(self, node: dict[str, Json], value: Json) -> None:
        names = node.get("type", list(_TYPES))
        if not any(
            _TYPES[name](value) for name in (names if isinstance(names, list) else [names]) if isinstance(name, str)
        ):
            raise Refusal(Reason.PARAMETERS_INVALID, "another type")
        octets = canonical.encode(value) if {"enum", "const", "uniqueItems"} & node.keys() else b""
        allowed = node.get("enum")
        if isinstance(allowed, list) and octets not in {canonical.encode(choice) for choice in allowed}:
            raise Refusal(Reason.PARAMETERS_INVALID, "not one of the values listed")
        if "const" in node and octets != canonical.encode(node["const"]):
            raise Refusal(Reason.PARAMETERS_INVALID, "not the one value")
        pattern = node.get("pattern")
        if isinstance(pattern, str) and isinstance(value, str) and not _compiled(pattern).search(value):
            raise Refusal(Reason.PARAMETERS_INVALID, "does not match its pattern")
        if node.get("uniqueItems") is not True or not isinstance(value, list):
            return
        if len({canonical.encode(item) for item in value}) != len(value):
            raise Refusal(Reason.PARAMETERS_INVALID, "an item stands twice")

    def _alternatives(self, node: dict[str, Json], value: Json, depth: int) -> None:
        for keyword, least, most in (("anyOf", 1, None), ("oneOf", 1, 1), ("allOf", None, None)):
            choices = node.get(keyword)
            if not isinstance(choices, list):
                continue
            fits = sum(self._fits(choice, value, depth + 1) for choice in choices)
            if fits < (len(choices) if least is None else least) or (most is not None and fits > most):
                raise Refusal(Reason.PARAMETERS_INVALID, f"does not fit {keyword}")

    def _fits(self, node: Json, value: Json, depth: int) -> bool:
        try:
            self.visit(node, value, depth)
        except Refusal:
            return False
        return True

    def _members(self, node: dict[str, Json], value: dict[str, Json], depth: int) -> None:
        properties, required = node.get("properties", {}), node.get("required", [])
        if not isinstance(properties, dict) or not isinstance(required, list):
            raise Refusal(Reason.PARAMETERS_INVALID, "not an object schema")
        for name in required:
            if name not in value:
                raise Refusal(Reason.PARAMETERS_INVALID, f"{name!r} is missing")
        if "properties" not in node and node.get("additionalProperties") is not False:
            return
        for name, member in value.items():
            if name not in properties:
                raise Refusal(Reason.PARAMETER_UNKNOWN, f"{name!r} is not listed")
            self.visit(properties[name], member, depth + 1)
