"""The part of JSON Schema 2020-12 in which parameters and terms are described: closed, local, without floats.

A keyword outside this part is refused when the action is read, so no constraint is ever silently ignored. Whoever reads
a schema may not know who wrote it: its size and depth are bounded with every reference followed, and no reference leads
back to itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.protocol import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
TYPES: Final[dict[str, Callable[[Json], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: type(value) is int,
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
BOUNDS: Final[dict[str, Callable[[Json, int], bool]]] = {
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
MAX_SCHEMAS: Final = 4096
MAX_DEPTH: Final = 64
_TOLD: Final = 64  # characters of a name in a detail


def check_schema(schema: Json, reason: Reason = Reason.ACTION_INVALID) -> None:
    """Refuse a schema that is not an object schema of this part, closed at every object and within its bounds."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise Refusal(reason, "the schema does not describe an object")
    _Check(schema, reason).visit(schema, 0)


class _Size(NamedTuple):
    """How many schemas one consists of, and how many levels lie below it, with every reference followed."""

    schemas: int
    height: int


class _Check:
    """One walk over a schema. A definition is walked once, however often it is referred to, and never within itself."""

    def __init__(self, root: dict[str, Json], reason: Reason) -> None:
        self._root = root
        self._reason = reason
        self._sizes: dict[str, _Size | None] = {}  # None while the definition is being walked

    def visit(self, node: Json, depth: int) -> _Size:
        if not isinstance(node, dict) or depth > MAX_DEPTH:
            raise Refusal(self._reason, "a schema is not an object, or is nested too deep")
        inner = [self.visit(child, depth + 1) for item in node.items() for child in self._children(*item)]
        if "$ref" in node:
            inner.append(self._referred(node["$ref"], depth + 1))
        names = node.get("type")
        objects = names == "object" or (isinstance(names, list) and "object" in names)
        if ("properties" in node or objects) and node.get("additionalProperties") is not False:
            raise Refusal(self._reason, "an object is not closed by additionalProperties: false")
        return self._bounded(inner)

    def _bounded(self, inner: list[_Size]) -> _Size:
        schemas = 1 + sum(size.schemas for size in inner)
        height = 1 + max((size.height for size in inner), default=-1)
        if schemas > MAX_SCHEMAS or height > MAX_DEPTH:
            raise Refusal(self._reason, "with its references followed, a schema is too large or nested too deep")
        return _Size(schemas, height)

    def _referred(self, reference: Json, depth: int) -> _Size:
        target, name = resolve(self._root, reference, self._reason), str(reference)
        if name not in self._sizes:
            self._sizes[name] = None
            self._sizes[name] = self.visit(target, depth)
        size = self._sizes[name]
        if size is None:
            raise Refusal(self._reason, f"{name[:_TOLD]} leads back to itself; no value could be shown whole")
        return size

    def _children(self, keyword: str, argument: Json) -> Iterable[Json]:
        """Give the schemas in a keyword's argument; refuse a keyword or an argument that is not of this part."""
        if keyword in _SCHEMAS:
            return [argument]
        if keyword in _SCHEMA_LISTS and isinstance(argument, list) and argument:
            return argument
        if keyword in _SCHEMA_MAPS and isinstance(argument, dict):
            return argument.values()
        if keyword == "pattern":
            self._check_pattern(argument)
        elif keyword not in _ANNOTATIONS and keyword != "$ref" and not _argument_fits(keyword, argument):
            raise Refusal(self._reason, f"keyword {keyword[:_TOLD]!r} is not in this part of JSON Schema")
        return ()

    def _check_pattern(self, argument: Json) -> None:
        try:
            pattern.parse(argument if isinstance(argument, str) else "(")
        except ValueError as error:
            raise Refusal(self._reason, f"a pattern that is not portable: {error}") from error


def _argument_fits(keyword: str, argument: Json) -> bool:
    if keyword == "type":
        names = argument if isinstance(argument, list) else [argument]
        known = [name for name in names if isinstance(name, str) and name in TYPES]
        return bool(names) and len(set(known)) == len(names)
    if keyword == "required":
        return isinstance(argument, list) and all(isinstance(name, str) for name in argument)
    if keyword == "enum":
        return isinstance(argument, list) and bool(argument)
    if keyword in {"additionalProperties", "uniqueItems"}:
        return isinstance(argument, bool)
    return keyword == "const" or (keyword in BOUNDS and type(argument) is int)


def resolve(root: dict[str, Json], reference: Json, reason: Reason) -> dict[str, Json]:
    """Give the local definition that a `$ref` names; refuses any other reference with `reason`."""
    definitions = root.get("$defs")
    if isinstance(reference, str) and reference.startswith("#/$defs/") and isinstance(definitions, dict):
        target = definitions.get(reference.removeprefix("#/$defs/"))
        if isinstance(target, dict):
            return target
    raise Refusal(reason, "a $ref is not to a local definition")
