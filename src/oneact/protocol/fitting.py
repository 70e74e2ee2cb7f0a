"""Values held against a schema: defaults filled in, every keyword checked, within a bound of work.

Who runs this may have written neither the schema nor the value. A schema that refers to one definition from many places
and a value of many items make far more work than they are long, so the work is counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, matching, pattern
from oneact.protocol.schema import BOUNDS, MAX_DEPTH, TYPES, resolve

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.pattern import Node

MAX_STEPS: Final = 200_000
_VISIT: Final = 4  # steps for one schema and one value; one step of a pattern is the measure
_CHARACTERS_A_STEP: Final = 64
_NAMES_A_STEP: Final = 16
_TOLD: Final = 64  # characters of a name in a detail


def validate(schema: dict[str, Json], value: Json) -> None:
    """Refuse a value that does not fit a schema which `check_schema` has passed.

    A member that the schema does not list is `parameter_unknown`, anything else `parameters_invalid`, and so is what
    would take over `MAX_STEPS`.
    """
    try:
        _Validator(schema, _Work()).visit(schema, value, 0)
    except _TooMuchWorkError as error:
        raise Refusal(Reason.PARAMETERS_INVALID, "it takes too much work to check") from error


def fill(schema: dict[str, Json], value: Json) -> Json:
    """Give the value with the schema's defaults in place of absent members, at every object.

    Refuses `parameters_invalid` for what would take over `MAX_STEPS`.
    """
    try:
        return _Filler(schema, _Work()).fill(schema, value)
    except _TooMuchWorkError as error:
        raise Refusal(Reason.PARAMETERS_INVALID, "it takes too much work to fill in") from error


class _TooMuchWorkError(Exception):
    """More steps than a value may take; no refusal, so that no alternative takes it for a value that does not fit."""


class _Work:
    """The steps that are left for one value."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def take(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise _TooMuchWorkError

    def comparable(self, value: Json) -> str:
        text = canonical.comparable(value)
        self.take(1 + len(text) // _CHARACTERS_A_STEP)
        return text


class _Filler:
    """One walk over a value that fills in defaults."""

    def __init__(self, root: dict[str, Json], work: _Work) -> None:
        self._root = root
        self._work = work

    def fill(self, schema: Json, value: Json) -> Json:
        node = self._followed(schema)
        if isinstance(value, list) and "items" in node:
            return [self.fill(node["items"], item) for item in value]
        properties = node.get("properties")
        if not isinstance(value, dict) or not isinstance(properties, dict):
            return value
        filled: dict[str, Json] = {}
        for name, member in properties.items():
            if name in value:
                filled[name] = self.fill(member, value[name])
            elif "default" in (inner := self._followed(member)):
                filled[name] = inner["default"]
        return {**value, **filled}

    def _followed(self, node: Json) -> dict[str, Json]:
        """Give the schema to which a schema's references lead."""
        self._work.take(1)
        while isinstance(node, dict) and "$ref" in node:
            self._work.take(1)
            node = resolve(self._root, node["$ref"], Reason.ACTION_INVALID)
        return node if isinstance(node, dict) else {}


class _Validator:
    """One walk over a value and the schema it has to fit; a pattern is read once, however many texts have to match."""

    def __init__(self, root: dict[str, Json], work: _Work) -> None:
        self._root = root
        self._work = work
        self._patterns: dict[str, Node] = {}

    def visit(self, node: Json, value: Json, depth: int) -> None:
        if depth > MAX_DEPTH or not isinstance(node, dict):
            raise Refusal(Reason.PARAMETERS_INVALID, "nested too deep")
        self._work.take(_VISIT)
        if "$ref" in node:
            self.visit(resolve(self._root, node["$ref"], Reason.PARAMETERS_INVALID), value, depth + 1)
        self._values(node, value)
        for keyword, bound in BOUNDS.items():
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
        names = node.get("type", list(TYPES))
        if not any(
            TYPES[name](value) for name in (names if isinstance(names, list) else [names]) if isinstance(name, str)
        ):
            raise Refusal(Reason.PARAMETERS_INVALID, "another type")
        same = self._work.comparable
        allowed = node.get("enum")
        if isinstance(allowed, list) and same(value) not in {same(choice) for choice in allowed}:
            raise Refusal(Reason.PARAMETERS_INVALID, "not one of the values listed")
        if "const" in node and same(value) != same(node["const"]):
            raise Refusal(Reason.PARAMETERS_INVALID, "not the one value")
        wanted = node.get("pattern")
        if isinstance(wanted, str) and isinstance(value, str):
            self._check_pattern(wanted, value)
        if node.get("uniqueItems") is not True or not isinstance(value, list):
            return
        if len({same(item) for item in value}) != len(value):
            raise Refusal(Reason.PARAMETERS_INVALID, "an item stands twice")

    def _check_pattern(self, wanted: str, value: str) -> None:
        if wanted not in self._patterns:
            self._patterns[wanted] = pattern.parse(wanted)
        if not matching.matches(self._patterns[wanted], value, self._work.take):
            raise Refusal(Reason.PARAMETERS_INVALID, "does not match its pattern")

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
        self._work.take(len(required) // _NAMES_A_STEP)
        for name in required:
            if name not in value:
                raise Refusal(Reason.PARAMETERS_INVALID, f"{str(name)[:_TOLD]!r} is missing")
        if "properties" not in node and node.get("additionalProperties") is not False:
            return
        for name, member in value.items():
            if name not in properties:
                raise Refusal(Reason.PARAMETER_UNKNOWN, f"{name[:_TOLD]!r} is not listed")
            self.visit(properties[name], member, depth + 1)
