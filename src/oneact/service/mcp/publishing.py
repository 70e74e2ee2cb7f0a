"""The input schema of a tool in the part of JSON Schema that can be published, member by member. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Refusal
from oneact.protocol import fitting, schema
from oneact.service import actions
from oneact.service.mcp import texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.canonical import Json

WHOLE: Final = "arguments"
_ROOT: Final = frozenset({"type", "properties", "required", "additionalProperties", "$defs", "definitions"})
_NOTES: Final = frozenset({"$schema", "$id", "$comment", "title", "description", "examples", "default", "deprecated"})
_SAYS_NOTHING: Final = _NOTES | {"format", "readOnly", "writeOnly"}
_WORDS: Final = ("title", "description", "examples", "$comment")


def by_member(described: Mapping[str, Any], *, foreign: bool) -> tuple[dict[str, Json], frozenset[str]] | None:
    """Give the schema member by member, and the members that are texts; None for one that takes any members."""
    properties, required = described.get("properties"), described.get("required", [])
    if (
        described.get("type") != "object"
        or not described.keys() <= _ROOT | _NOTES
        or described.get("additionalProperties", False) is not False
        or not isinstance(properties, dict)
        or not isinstance(required, list)
        or not set(map(str, required)) <= properties.keys()
    ):
        return None
    definitions = described.get("$defs")
    definitions = definitions if isinstance(definitions, dict) else {}
    members: dict[str, Json] = {}
    held = set()
    for member, node in properties.items():
        published = _publishable(node, definitions, foreign=foreign)
        if published is None:
            held.add(member)
            published = _as_text(node, foreign=foreign)
        members[member] = published
    needed: list[Json] = [str(found) for found in required]
    used = _definitions(members, definitions, foreign=foreign)
    root: dict[str, Json] = {"type": "object", "properties": members, "required": needed, "additionalProperties": False}
    return {**root, **({"$defs": used} if used else {})}, frozenset(held)


def _publishable(node: Any, definitions: dict[str, Any], *, foreign: bool) -> dict[str, Json] | None:  # noqa: ANN401 - JSON with fractions
    """Give one member's schema, closed, where it can be published and says what its values are; else None."""
    if not isinstance(node, dict) or node.keys() <= _SAYS_NOTHING:
        return None
    try:
        member = _said(actions.close(texts.strict(node)), foreign=foreign)
        used = _definitions({"it": member}, definitions, foreign=foreign)
        root: dict[str, Json] = {
            "type": "object", "properties": {"it": member}, "additionalProperties": False, "$defs": used,
        }  # fmt: skip
        schema.check_schema(root)
    except (Refusal, ValueError):
        return None
    if any(_is_open(found) for found in (node, *used.values())):
        return None
    if "default" in member:
        try:
            fitting.validate(root, {"it": member["default"]})
        except Refusal:
            del member["default"]
    return member


def _is_open(node: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell whether a schema of this part, or one within it, takes objects of any members, or anything at all."""
    kinds = node.get("type")
    if (kinds == "object" or (isinstance(kinds, list) and "object" in kinds)) and not node.get("properties"):
        return True
    if kinds == "array" and not isinstance(node.get("items"), dict):
        return True
    inner = [node.get("items")] if "items" in node else []
    for keyword in ("anyOf", "oneOf", "allOf"):
        inner += node.get(keyword, [])
    inner += list(node.get("properties", {}).values())
    return any(_is_open(found) or found.keys() <= _SAYS_NOTHING for found in inner)


def _as_text(node: Any, *, foreign: bool) -> dict[str, Json]:  # noqa: ANN401 - JSON with fractions
    """Give the schema of a member that holds JSON as text; a default of it is filled in as text too."""
    words = node if isinstance(node, dict) and not foreign else {}
    member: dict[str, Json] = {"type": "string"}
    for word in ("title", "description"):
        if isinstance(words.get(word), str):
            member[word] = words[word]
    if isinstance(node, dict) and "default" in node:
        try:
            member["default"] = texts.of(node["default"])
        except Refusal:
            return member
    return member


def _definitions(members: Mapping[str, Json], definitions: dict[str, Any], *, foreign: bool) -> dict[str, Json]:
    """Give the definitions that members refer to, directly or through others; refuses what is no strict JSON."""
    used: dict[str, Json] = {}
    waiting = list(members.values())
    while waiting:
        for name in _references(waiting.pop()):
            if name not in used and isinstance(definitions.get(name), dict):
                used[name] = _said(actions.close(texts.strict(definitions[name])), foreign=foreign)
                waiting.append(used[name])
    return used


def _references(node: Json) -> list[str]:
    if isinstance(node, list):
        return [name for inner in node for name in _references(inner)]
    if not isinstance(node, dict):
        return []
    own = node.get("$ref")
    mine = [own.removeprefix("#/$defs/")] if isinstance(own, str) else []
    return [*mine, *(name for inner in node.values() for name in _references(inner))]


def _said(node: dict[str, Json], *, foreign: bool) -> dict[str, Json]:
    """Take the words out of a foreign schema."""
    if not foreign:
        return node
    return {key: _unsaid(key, value) for key, value in node.items() if key not in _WORDS}


def _unsaid(keyword: str, value: Json) -> Json:
    if keyword in {"enum", "const", "default", "required"}:
        return value
    if isinstance(value, dict):
        named = keyword in {"properties", "$defs"}
        return {
            name: _unsaid("" if named else name, inner) for name, inner in value.items() if named or name not in _WORDS
        }
    return [_unsaid("", inner) for inner in value] if isinstance(value, list) else value


def whole() -> dict[str, Json]:
    """Give the schema of a tool that takes any members: all its arguments in one text."""
    properties: dict[str, Json] = {WHOLE: {"type": "string", "default": "{}"}}
    return {"type": "object", "properties": properties, "required": [], "additionalProperties": False}
