"""An action's own address: where its parameters go by method, path and sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode

from oneact.conformance.outcome import Skipped
from oneact.protocol import canonical

if TYPE_CHECKING:
    from oneact.conformance.fault import Fields, Members
    from oneact.conformance.stage import Stage


class Target(NamedTuple):
    """A request to an action's own address; `htu` is its URL without query."""

    method: str
    url: str
    htu: str
    fields: Fields
    content: bytes | None


def of(stage: Stage, parameters: Members | None = None) -> Target:
    """Give the request for these parameters; skips an action that runs by its name alone, or takes files."""
    action, given = stage.action, stage.parameters if parameters is None else parameters
    if stage.resource + action.path == stage.described.act_uri:
        raise Skipped(f"{action.name} has no address of its own")
    if "file" in action.sources.values():
        raise Skipped(f"{action.name} takes files")
    parts: dict[str, Members] = {"path": {}, "query": {}, "body": {}, "form": {}}
    for name, value in given.items():
        parts[action.sources[name]][name] = value
    htu = stage.resource + action.path
    for name, value in parts["path"].items():
        htu = htu.replace("{" + name + "}", quote(_text(value), safe=""))
    query = urlencode({name: _text(value) for name, value in parts["query"].items()})
    kind, content = _body(parts, set(action.sources.values()))
    fields = [("Content-Type", kind)] if kind else []
    return Target(action.method, htu + (f"?{query}" if query else ""), htu, fields, content)


def _body(parts: dict[str, Members], sources: set[str]) -> tuple[str, bytes | None]:
    if "form" in sources:
        form = urlencode({name: _text(value) for name, value in parts["form"].items()})
        return "application/x-www-form-urlencoded", form.encode()
    if "body" in sources:
        return "application/json", canonical.encode(parts["body"])
    return "", None


def _text(value: object) -> str:
    """Write a value of path, query or form as text (specification, section 4.2)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
