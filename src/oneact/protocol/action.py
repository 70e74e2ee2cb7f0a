"""An action: what a service can do, as it publishes it, named by the digest of exactly this description."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, form, schema

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json

MAX_OCTETS: Final = 32 * 1024
MAX_APPROVERS: Final = 3
FORMATS: Final = frozenset(
    {"text", "money", "date", "date-time", "time-zone", "email", "url", "account", "list", "secret"}
)
SOURCES: Final = frozenset({"path", "query", "body", "form", "file"})
_MEMBERS: Final = frozenset(
    {"action", "schema", "method", "path", "sources", "intent", "summary", "display", "terms", "reversible", "rule"}
)
NAME: Final = re.compile(r"[a-z][a-z0-9_.]{0,63}\Z")
METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_POINTER: Final = re.compile(r"/(parameters|terms)(/(?:[^~/{}]|~0|~1)+)+\Z")
MAX_LABEL: Final = 80
_MAX_LINES: Final = 200


@dataclass(frozen=True, slots=True)
class DisplayEntry:
    """One line of the template: a JSON pointer (RFC 6901), its label and format, and the section it is shown in.

    `path` is the pointer taken apart.
    """

    pointer: str
    label: str
    format: str
    section: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """How many distinct persons approve, 1 to 3, and whether the one who asked may be one of them."""

    approvers: int = 1
    requester_excluded: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """A published action; `digest` names it, `document` is what was published, `formats` the formats by pointer."""

    name: str
    schema: dict[str, Json]
    method: str
    path: str
    sources: dict[str, str]
    intent: str
    summary: str
    display: tuple[DisplayEntry, ...]
    terms: dict[str, Json] | None
    reversible: bool
    rule: Rule
    document: dict[str, Json]
    digest: str
    formats: dict[str, str]


def parse(value: Json) -> Action:
    """Read a published action (specification, section "Actions"); refuses `action_invalid`."""
    reason = Reason.ACTION_INVALID
    members = form.closed(value, reason, _MEMBERS)
    if len(canonical.encode(members)) > MAX_OCTETS:
        raise Refusal(reason, "larger than 32 KiB")
    schema.check_schema(members["schema"])
    if members["terms"] is not None:
        schema.check_schema(members["terms"])
    name, method = form.text(members["action"], reason, 64), form.text(members["method"], reason, 8)
    path, summary = form.text(members["path"], reason), members["summary"]
    if not NAME.match(name) or method not in METHODS or not path.startswith("/"):
        raise Refusal(reason, "name, method or path")
    if not isinstance(summary, str) or not isinstance(members["reversible"], bool):
        raise Refusal(reason, "summary or reversible")
    has_terms = members["terms"] is not None
    _check_summary(summary, has_terms=has_terms)
    display = _display(members["display"], has_terms=has_terms)
    return Action(
        name=name,
        schema=_object(members["schema"]),
        method=method,
        path=path,
        sources=_sources(members["sources"], _object(members["schema"])),
        intent=form.text(members["intent"], reason, MAX_LABEL),
        summary=summary,
        display=display,
        terms=None if members["terms"] is None else _object(members["terms"]),
        reversible=members["reversible"],
        rule=_rule(members["rule"]),
        document=members,
        digest=canonical.digest(members),
        formats={entry.pointer: entry.format for entry in display},
    )


@lru_cache(maxsize=256)
def split_summary(summary: str) -> tuple[str, ...]:
    """Give a summary as texts and the pointers of its placeholders in turns; first and last are texts."""
    return tuple(_PLACEHOLDER.split(summary))


def split_pointer(pointer: str) -> tuple[str, ...]:
    """Give the names and indexes of a pointer (RFC 6901 section 4)."""
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/"))


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise Refusal(Reason.ACTION_INVALID, "not an object")
    return value


def _check_summary(summary: str, *, has_terms: bool) -> None:
    rest = _PLACEHOLDER.sub("", summary)
    if len(summary) > form.MAX_TEXT or "{" in rest or "}" in rest:
        raise Refusal(Reason.ACTION_INVALID, "a summary is too long or has a brace that is no placeholder")
    for pointer in split_summary(summary)[1::2]:
        _check_pointer(pointer, has_terms=has_terms)


def _check_pointer(pointer: str, *, has_terms: bool) -> str:
    if not _POINTER.match(pointer):
        raise Refusal(Reason.ACTION_INVALID, f"{pointer!r} does not point into parameters or terms")
    if pointer.startswith("/terms/") and not has_terms:
        raise Refusal(Reason.ACTION_INVALID, f"{pointer!r} points into terms that the action has not")
    return pointer


def _sources(value: Json, parameters: dict[str, Json]) -> dict[str, str]:
    found = _object(value)
    if found.keys() != _object(parameters.get("properties", {})).keys():
        raise Refusal(Reason.ACTION_INVALID, "sources do not name exactly the parameters")
    if not all(source in SOURCES for source in found.values() if isinstance(source, str)):
        raise Refusal(Reason.ACTION_INVALID, "a source is not known")
    return {name: form.text(source, Reason.ACTION_INVALID, 8) for name, source in found.items()}


def _display(value: Json, *, has_terms: bool) -> tuple[DisplayEntry, ...]:
    if not isinstance(value, list) or len(value) > _MAX_LINES:
        raise Refusal(Reason.ACTION_INVALID, "display is not an array within its limit")
    entries = tuple(_entry(item, has_terms=has_terms) for item in value)
    if len({entry.pointer for entry in entries}) != len(entries):
        raise Refusal(Reason.ACTION_INVALID, "display names one pointer twice")
    return entries


def _entry(value: Json, *, has_terms: bool) -> DisplayEntry:
    members = form.closed(value, Reason.ACTION_INVALID, {"pointer", "label", "format"})
    kind = form.text(members["format"], Reason.ACTION_INVALID, 16)
    if kind not in FORMATS:
        raise Refusal(Reason.ACTION_INVALID, f"format {kind!r}")
    pointer = _check_pointer(form.text(members["pointer"], Reason.ACTION_INVALID), has_terms=has_terms)
    section = "term" if pointer.startswith("/terms/") else "parameter"
    label = form.text(members["label"], Reason.ACTION_INVALID, MAX_LABEL)
    return DisplayEntry(pointer, label, kind, section, split_pointer(pointer))


def _rule(value: Json) -> Rule:
    members = form.closed(value, Reason.ACTION_INVALID, {"approvers", "requester_excluded"})
    approvers, excluded = members["approvers"], members["requester_excluded"]
    if type(approvers) is not int or not 1 <= approvers <= MAX_APPROVERS or not isinstance(excluded, bool):
        raise Refusal(Reason.ACTION_INVALID, "rule")
    return Rule(approvers, excluded)
