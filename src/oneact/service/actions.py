"""What a service publishes of each guarded action: built from what its owner wrote, checked, named by its digest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from oneact.errors import Refusal
from oneact.protocol import action, canonical
from oneact.service import mistakes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.action import Action, Rule
    from oneact.protocol.canonical import Json

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_FORMATS: Final = {
    "date": "date", "date-time": "date-time", "email": "email", "idn-email": "email", "uri": "url", "password": "secret"
}  # fmt: skip
_SCALARS: Final = frozenset({"string", "integer", "boolean"})


def describe(  # noqa: PLR0913 - the members of a published action
    name: str,
    *,
    intent: str,
    summary: str,
    schema: Mapping[str, Json],
    terms: Mapping[str, Json] | None,
    sources: Mapping[str, str],
    display: Mapping[str, str | tuple[str, str]] | None,
    reversible: bool,
    rule: Rule,
    method: str,
    path: str,
) -> Action:
    """Build and check one published action.

    `summary` has placeholders `{name}`, `{name.member}` or whole pointers `{/parameters/name}`; a plain name is a
    parameter's, else a term's. `display` gives labels, or labels with formats, by name or pointer; what it leaves out
    gets its title or name as label and a format after its schema. Raises ValueError for what cannot be published.
    """
    try:
        mistakes.check_words(name, intent, method, path, display or {})
        parameters, stated = close(schema), None if terms is None else close(terms)
        mistakes.check_schema("parameter", parameters)
        mistakes.check_schema("term", stated or {})
        names = _Names(parameters, stated)
        document: dict[str, Json] = {
            "action": name,
            "schema": parameters,
            "method": method,
            "path": path,
            "sources": {found: sources.get(found, "body") for found in _properties(parameters)},
            "intent": intent,
            "summary": _PLACEHOLDER.sub(lambda match: "{" + names.pointer(match[1]) + "}", summary),
            "display": _display(names, display or {}),
            "terms": stated,
            "reversible": reversible,
            "rule": {"approvers": rule.approvers, "requester_excluded": rule.requester_excluded},
        }
        return action.parse(canonical.parse(canonical.encode(document)))
    except Refusal as refusal:
        raise ValueError(f"action {name}: {refusal.detail or refusal.reason.says}") from refusal
    except ValueError as error:
        raise ValueError(f"action {name}: {error}") from error


def close(schema: Mapping[str, Json]) -> dict[str, Json]:
    """Give the schema with every object that says nothing of further members closed to them."""
    closed = {keyword: _closed(argument, keyword) for keyword, argument in schema.items()}
    if closed.get("type") == "object" or "properties" in closed:
        closed.setdefault("properties", {})
        closed.setdefault("additionalProperties", False)
    return closed


def _closed(argument: Json, keyword: str) -> Json:
    if keyword in {"properties", "$defs"} and isinstance(argument, dict):
        return {name: close(inner) if isinstance(inner, dict) else inner for name, inner in argument.items()}
    if keyword in {"anyOf", "oneOf", "allOf"} and isinstance(argument, list):
        return [close(inner) if isinstance(inner, dict) else inner for inner in argument]
    if keyword == "items" and isinstance(argument, dict):
        return close(argument)
    return argument


class _Names:
    """The names of an action's parameters and terms, and what their schemas say of them."""

    def __init__(self, parameters: dict[str, Json], terms: dict[str, Json] | None) -> None:
        self.rooms: dict[str, dict[str, Json]] = {"parameters": parameters}
        if terms is not None:
            self.rooms["terms"] = terms

    def pointer(self, name: str) -> str:
        """Resolve a placeholder to its pointer."""
        if name.startswith("/"):
            return name
        first, *rest = name.split(".")
        rooms = [room for room, schema in self.rooms.items() if first in _properties(schema)]
        if len(rooms) != 1:
            raise ValueError(f"{{{name}}} is " + ("both a parameter and a term" if rooms else "no parameter or term"))
        return "/".join(["", rooms[0], *(part.replace("~", "~0").replace("/", "~1") for part in (first, *rest))])

    def all(self) -> list[tuple[str, str, dict[str, Json]]]:
        """Give pointer, name and resolved schema of every parameter and term."""
        return [
            (f"/{room}/{name.replace('~', '~0').replace('/', '~1')}", name, _followed(schema, node))
            for room, schema in self.rooms.items()
            for name, node in _properties(schema).items()
        ]


def _display(names: _Names, wanted: Mapping[str, str | tuple[str, str]]) -> list[Json]:
    said = {names.pointer(name): entry for name, entry in wanted.items()}
    entries: list[Json] = []
    for pointer, name, schema in names.all():
        kind = _format(schema)
        if pointer not in said and kind is None:
            continue  # shown member by member, under its pointers
        label: str | tuple[str, str] = said.pop(pointer, _label(name, schema))
        text, given = (label, kind or "text") if isinstance(label, str) else label
        entries.append({"pointer": pointer, "label": text, "format": given})
    for pointer, label in said.items():
        text, given = (label, "text") if isinstance(label, str) else label
        entries.append({"pointer": pointer, "label": text, "format": given})
    return entries


def _label(name: str, schema: dict[str, Json]) -> str:
    title = schema.get("title")
    return title if isinstance(title, str) and title else name.replace("_", " ").strip().capitalize() or name


def _format(schema: dict[str, Json]) -> str | None:
    if _properties(schema).keys() == {"amount", "currency"}:
        return "money"
    if schema.get("type") == "object" or "properties" in schema:
        return None
    if schema.get("type") == "array":
        items = schema.get("items")
        return "list" if isinstance(items, dict) and items.get("type") in _SCALARS else None
    found = schema.get("format")
    return _FORMATS.get(found, "text") if isinstance(found, str) else "text"


def _properties(schema: dict[str, Json]) -> dict[str, Json]:
    found = schema.get("properties", {})
    return found if isinstance(found, dict) else {}


def _followed(root: dict[str, Json], node: Json) -> dict[str, Json]:
    """Follow a local reference, and an `allOf` or `anyOf` with one choice beside null, to what it describes."""
    if not isinstance(node, dict):
        return {}
    reference, choices = node.get("$ref"), node.get("anyOf") or node.get("allOf")
    definitions = root.get("$defs")
    if isinstance(reference, str) and isinstance(definitions, dict):
        target = definitions.get(reference.removeprefix("#/$defs/"))
        inner = target if isinstance(target, dict) else {}
        # The definition's own title names a type; a label is what the member itself is called.
        whole = {key: value for key, value in inner.items() if key != "title"}
        return {**whole, **{key: value for key, value in node.items() if key != "$ref"}}
    if isinstance(choices, list):
        real = [choice for choice in choices if isinstance(choice, dict) and choice.get("type") != "null"]
        if len(real) == 1:
            return {**_followed(root, real[0]), **{key: value for key, value in node.items() if key == "title"}}
    return node
