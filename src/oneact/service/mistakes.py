"""What an owner can get wrong about an action, told with the name of the part and what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.errors import Refusal
from oneact.protocol import action, schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from oneact.protocol.canonical import Json

_CHILDREN: Final = frozenset({"properties", "$defs", "items", "anyOf", "oneOf", "allOf", "$ref"})
_FRACTION: Final = "a number with a fraction is never exactly what was signed; use Decimal, text or an integer"
_OPEN: Final = "an object of any members cannot be shown whole; use a model, or properties, that lists them"


def check_words(name: str, intent: str, method: str, path: str, display: Mapping[str, str | tuple[str, str]]) -> None:
    """Raise ValueError for a name, intent, method, path, label or format that cannot be published."""
    if not action.NAME.match(name):
        raise ValueError("a name is lower-case letters, digits, '_' and '.', at most 64, beginning with a letter")
    if not 0 < len(intent) <= action.MAX_LABEL:
        raise ValueError(f"intent= has 1 to {action.MAX_LABEL} characters, not {len(intent)}; summary= may be longer")
    if method not in action.METHODS:
        raise ValueError(f"{method} changes nothing by its meaning; an act is {', '.join(sorted(action.METHODS))}")
    if not path.startswith("/"):
        raise ValueError(f"path= {path!r} begins with a slash")
    for shown, entry in display.items():
        label, kind = (entry, "text") if isinstance(entry, str) else entry
        if not 0 < len(label) <= action.MAX_LABEL:
            raise ValueError(f"display= of {shown}: a label has 1 to {action.MAX_LABEL} characters")
        if kind not in action.FORMATS:
            raise ValueError(f"display= of {shown}: {kind!r} is none of {', '.join(sorted(action.FORMATS))}")


def check_schema(room: str, root: Mapping[str, Json]) -> None:
    """Raise ValueError for the first `room`, parameter or term, whose part of the schema cannot be published."""
    fault = next(_faults(_mapping(root.get("$defs")), dict(root), ""), None)
    if fault is not None:
        name, why = fault
        raise ValueError(f"{room} {name}: {why}" if name else f"{room}: {why}")


def _faults(definitions: dict[str, Json], node: Json, name: str) -> Iterator[tuple[str, str]]:
    """Give name and mistake of every member below a node; each definition is taken out where it is first met."""
    if not isinstance(node, dict):
        return
    kinds = node.get("type")
    named = kinds if isinstance(kinds, list) else [kinds]
    if "number" in named:
        yield name, _FRACTION
    if ("object" in named or "properties" in node) and node.get("additionalProperties") is not False:
        yield name, _OPEN
    yield from _foreign(node, name)
    for inner in _inner(definitions, node):
        yield from _faults(definitions, inner, name)
    for member, inner in _mapping(node.get("properties")).items():
        yield from _faults(definitions, inner, f"{name}.{member}" if name else member)


def _inner(definitions: dict[str, Json], node: dict[str, Json]) -> Iterator[Json]:
    """Give what a node says by a reference, of its items and in its alternatives."""
    reference = node.get("$ref")
    yield definitions.pop(reference.removeprefix("#/$defs/"), None) if isinstance(reference, str) else None
    yield node.get("items")
    for keyword in ("anyOf", "oneOf", "allOf"):
        choices = node.get(keyword)
        yield from choices if isinstance(choices, list) else []


def _foreign(node: dict[str, Json], name: str) -> Iterator[tuple[str, str]]:
    """Ask the protocol what it takes of a node without its children."""
    alone: dict[str, Json] = {keyword: argument for keyword, argument in node.items() if keyword not in _CHILDREN}
    try:
        schema.check_schema({"type": "object", "properties": {"it": alone}, "additionalProperties": False})
    except Refusal as refusal:
        yield name, refusal.detail


def _mapping(value: Json) -> dict[str, Json]:
    return dict(value) if isinstance(value, dict) else {}
