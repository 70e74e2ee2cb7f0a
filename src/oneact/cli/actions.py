"""`oneact agent actions`: what a service can do, and with which parameters, in lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oneact.protocol import canonical
from oneact.protocol.display import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oneact.protocol.action import Action
    from oneact.protocol.reading import Read


def lines(action: Action) -> Iterator[str]:
    """Say what an action does, what it takes and what the service states; all of it is the service's word, escaped."""
    yield f"{action.name}: {escape(action.intent)}{'' if action.reversible else ', cannot be undone'}"
    yield from _members(action.schema, "needed")
    if action.terms is not None:
        yield "  and the service states, in its offer:"
        yield from _members(action.terms, "always")


def of_read(read: Read) -> str:
    """Say what a read tells and where; all of it is the service's word, escaped."""
    return f"{read.name}: {escape(read.intent)}, to read at {escape(read.path)}"


def _members(schema: dict[str, Any], required: str) -> Iterator[str]:
    properties: dict[str, Any] = schema.get("properties", {})
    width = max((len(name) for name in properties), default=0)
    for name, member in properties.items():
        told = [_kind(schema, member), required if name in schema.get("required", []) else "optional"]
        if "default" in member:
            told.append(f"else {_json(member['default'])}")
        about = f"  {escape(member['description'])}" if isinstance(member.get("description"), str) else ""
        yield f"  {escape(name).ljust(width)}  {', '.join(told)}{about}"


def _kind(root: dict[str, Any], node: Any) -> str:  # noqa: ANN401 - a part of a schema
    """Give the kind of value that a part of a schema takes, in words; no definition leads back to itself."""
    if "$ref" in node:
        return _kind(root, root["$defs"][node["$ref"].removeprefix("#/$defs/")])
    if "enum" in node or "const" in node:
        return " or ".join(map(_json, node.get("enum", [node.get("const")])))
    choices = node.get("anyOf") or node.get("oneOf")
    if choices:
        return " or ".join(_kind(root, choice) for choice in choices)
    if "items" in node:
        return f"array of {_kind(root, node['items'])}"
    if "properties" in node:
        return f"object of {', '.join(map(escape, node['properties']))}"
    names = node.get("type", "any value")
    about = f" ({escape(str(node['format']))})" if "format" in node else ""
    return (names if isinstance(names, str) else " or ".join(names)) + about


def _json(value: Any) -> str:  # noqa: ANN401 - a value in a schema
    return escape(canonical.encode(value).decode())
