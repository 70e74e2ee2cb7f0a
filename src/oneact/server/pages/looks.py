"""How values look on a page: the template environment, and an act's lines in the order in which a person reads them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from oneact.errors import Reason, Refusal
from oneact.protocol import action, canonical, display, jwk
from oneact.server.pages.events import SENTENCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oneact.protocol.canonical import Json
    from oneact.server.deciding import Shown

_ESCAPE: Final = re.compile(r"\\u\{[0-9A-F]{1,6}\}|\\\\")
_SET_APART: Final = re.compile("\u00ab([^\u00ab\u00bb]*)\u00bb")


@dataclass(frozen=True, slots=True)
class LineView:
    """One line: its label, its format, the exact texts (several for a list), and a secret's value to be revealed."""

    label: str
    format: str
    texts: tuple[str, ...]
    secret: str | None


@dataclass(frozen=True, slots=True)
class ActView:
    """An act as it is read: its intent, the summary, the service's promises, what is sent, all the rest."""

    intent: str
    summary: str
    terms: tuple[LineView, ...]
    parameters: tuple[LineView, ...]
    others: tuple[LineView, ...]
    reversible: bool


def act_view(shown: Shown) -> ActView:
    """Arrange the lines of a request; the texts are those of the lines, only a secret's value comes beside.

    Intent and labels stand in the lines as the service wrote them, a pointer as label excepted; for the eye they are
    escaped.
    """
    described = action.parse(canonical.parse(shown.row["action"].encode()))
    secrets = _secrets(described, json.loads(shown.row["act"]))
    views: dict[str, list[LineView]] = {"intent": [], "term": [], "parameter": [], "other": []}
    for section, label, kind, text in shown.lines:
        texts = tuple(text.split("\n")) if kind == "list" else (text,)
        secret = _revealed(next(secrets), text) if kind == "secret" else None
        views[section].append(LineView(label if section == "other" else display.escape(label), kind, texts, secret))
    intent = views["intent"][0]
    return ActView(
        intent.label,
        intent.texts[0],
        tuple(views["term"]),
        tuple(views["parameter"]),
        tuple(views["other"]),
        described.reversible,
    )


def _secrets(described: action.Action, act: dict[str, Json]) -> Iterator[str]:
    """Give the values of the template's secrets in their order, found as the lines' own values were found."""
    for entry in described.display:
        value = display.at(act, entry.pointer)
        if entry.format == "secret" and isinstance(value, str):
            yield value


def _revealed(secret: str, text: str) -> str:
    """Give a secret for the eye, escaped as every text is; refuses `internal` where another was signed."""
    if display.secret(secret) != text:
        raise Refusal(Reason.INTERNAL, "the secret is not the one of the line")
    return display.escape(secret)


def _visible(text: str) -> Markup:
    """Mark the escapes in a text, so that they are seen to be no part of what the service wrote."""
    marked, at = Markup(), 0
    for found in _ESCAPE.finditer(text):
        marked += escape(text[at : found.start()]) + Markup('<span class="escape">{}</span>').format(found[0])
        at = found.end()
    return marked + escape(text[at:])


def _summary(text: str) -> Markup:
    """Set the values in a summary apart."""
    parts = _SET_APART.split(text)
    return Markup().join(
        Markup("<b>{}</b>").format(_visible(part)) if index % 2 else _visible(part) for index, part in enumerate(parts)
    )


def _when(second: int) -> Markup:
    """Give a time that a script may say in the person's own zone."""
    at = datetime.fromtimestamp(second, UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        at.strftime("%Y-%m-%dT%H:%M:%SZ"), f"{at.day} {at.strftime('%b %Y, %H:%M')} UTC"
    )


def _moment(second: int) -> Markup:
    """Give a time with its second: of things that may come close upon each other."""
    at = datetime.fromtimestamp(second, UTC)
    return Markup('<time data-seconds datetime="{}">{}</time>').format(
        at.strftime("%Y-%m-%dT%H:%M:%SZ"), f"{at.day} {at.strftime('%b %Y, %H:%M:%S')} UTC"
    )


def _host(url: str) -> str:
    parts = urlsplit(url)
    return display.escape(parts.netloc if parts.scheme == "https" else f"{parts.scheme}://{parts.netloc}")


def _monogram(name: str) -> str:
    return next((letter.upper() for letter in name if letter.isalnum()), "?")


_environment: Final = Environment(
    loader=PackageLoader("oneact.server.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(
    visible=_visible,
    plain=display.escape,
    summary=_summary,
    when=_when,
    moment=_moment,
    fingerprint=jwk.fingerprint,
    host=_host,
    monogram=_monogram,
    event=lambda kind: SENTENCES.get(kind, kind),
)


def render(template: str, **context: Any) -> str:  # noqa: ANN401 - what the template shows
    """Render a template; a name that it is not given is an error, never an empty text."""
    return _environment.get_template(template).render(context)
