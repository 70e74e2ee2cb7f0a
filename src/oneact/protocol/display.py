"""What a person is shown, as lines `[section, label, format, text]`: a pure function of action, parameters and terms.

No locale, clock or Unicode table takes part beyond the fixed ranges below, so every implementation gives the same
lines, and their digest stands in what the passkey signs.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url, canonical
from oneact.protocol.action import split_pointer, split_summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.protocol.action import Action
    from oneact.protocol.canonical import Json

MAX_LINES: Final = 200
MAX_OCTETS: Final = 16 * 1024
_AROUND: Final = 40  # octets of a line beside label and text, at the most
_MARKS: Final = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"  # combining blocks
_ESCAPED: Final = re.compile(
    "[\\\\\u00ab\u00bb\u0000-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
    f"|(?<=[{_MARKS}][{_MARKS}])[{_MARKS}]"
)
_MONEY: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,6})?")
_MONEY_MEMBERS: Final = 2  # amount and currency
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_DATE: Final = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
_TIME: Final = re.compile(
    _DATE.pattern + r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")
_EMAIL: Final = re.compile(r"([!#-'*+./0-9=?A-Z^_`a-z{|}~-]{1,64})@([^@\s/\\]{1,253})")
_URL: Final = re.compile(r"(https?://)([^/?#@:\\\s]{1,253})((?::[0-9]{1,5})?(?:[/?#][!-~]*)?)")

Line = tuple[str, str, str, str]
ABSENT: Final[dict[str, Json]] = {}  # told apart by identity


class _Sheet:
    """The lines of one act as they are added; the one with which they are too many or too large is refused."""

    __slots__ = ("lines", "room")

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.room = MAX_OCTETS  # an octet at least for each character

    def add(self, section: str, label: str, kind: str, text: str) -> None:
        """Add a line."""
        self.room -= len(label) + len(text)
        if self.room < 0 or len(self.lines) == MAX_LINES:
            raise _too_large(f"{len(self.lines)} lines")
        self.lines.append((section, label, kind, text))

    def finished(self) -> tuple[Line, ...]:
        """Give the lines, now that they can be measured exactly."""
        lines = tuple(self.lines)
        # A character is at most six octets of JCS; only near the limit is it measured.
        bound = (MAX_OCTETS - self.room) * 6 + len(lines) * _AROUND
        if bound > MAX_OCTETS and len(encode(lines)) > MAX_OCTETS:
            raise _too_large(f"{len(lines)} lines")
        return lines


def render(action: Action, parameters: dict[str, Json], terms: dict[str, Json] | None) -> tuple[Line, ...]:
    """Give the lines of an act: the intent, the template's lines, then every other member under its pointer.

    Refuses `too_large_to_show` over 200 lines or 16 KiB of JCS, as soon as that is certain.
    """
    document: dict[str, Json] = {"parameters": parameters}
    if terms is not None:
        document["terms"] = terms
    sheet = _Sheet()
    lines, room = sheet.lines, sheet.room  # without a call for each line: this is on the hottest path
    shown: dict[str, str] = {}
    for entry in action.display:
        value = _follow(document, entry.path)
        if value is not ABSENT:
            kind, text = ("text", _text(value)) if entry.format == "text" else _formatted(entry.format, value)
            shown[entry.pointer] = text
            lines.append((entry.section, entry.label, kind, text))
            room -= len(entry.label) + len(text)
            if room < 0:
                raise _too_large(f"{len(lines)} lines")
    sheet.room = room
    sheet.add("intent", action.intent, "text", _summary(action.summary, document, shown))
    lines.insert(0, lines.pop())
    for name, member in document.items():
        _others(f"/{name}", member, action.formats, sheet)
    return sheet.finished()


def encode(lines: tuple[Line, ...]) -> bytes:
    """Give the JCS of the lines, whose SHA-256 is the display digest."""
    return canonical.encode_texts(lines)


def digest(lines: tuple[Line, ...]) -> str:
    """Give the display digest, 43 characters."""
    return canonical.sha256(encode(lines))


def escape(text: str) -> str:
    """Give the text with backslash, the marks of a set-apart value and everything invisible written as escapes.

    Of combining marks in a row the first two stay, and those that would pile up on them are escaped.
    """
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return _ESCAPED.sub(lambda match: "\\\\" if match[0] == "\\" else f"\\u{{{ord(match[0]):X}}}", text)


def _escaped(text: str) -> str:
    """Escape what goes into a line; what alone is too much is refused before it grows."""
    if len(text) > MAX_OCTETS:
        raise _too_large(f"{len(text)} characters")
    return escape(text)


def _too_large(detail: str) -> Refusal:
    return Refusal(Reason.TOO_LARGE_TO_SHOW, detail)


def _summary(summary: str, document: dict[str, Json], shown: dict[str, str]) -> str:
    """Fill a summary, with the texts of the lines where there are such; what is absent is filled in empty."""
    text, places = _places(summary)
    for pointer, path, after in places:
        filled = shown.get(pointer)
        if filled is None:
            value = _follow(document, path)
            filled = "" if value is ABSENT else _text(value)
        text += f"\u00ab{filled}\u00bb{after}"
        if len(text) > MAX_OCTETS:
            raise _too_large(f"a summary of {len(text)} characters")
    return text


@lru_cache(maxsize=256)
def _places(summary: str) -> tuple[str, tuple[tuple[str, tuple[str, ...], str], ...]]:
    """Give a summary's first text, then each pointer, whole and taken apart, with the text after it; texts escaped."""
    first, *rest = split_summary(summary)
    pointers = rest[::2]
    return escape(first), tuple(zip(pointers, map(split_pointer, pointers), map(escape, rest[1::2]), strict=True))


def at(document: dict[str, Json], pointer: str) -> Json:
    """Follow a JSON pointer (RFC 6901) through objects and arrays; `ABSENT` where it leads nowhere.

    An index stands as RFC 6901 writes it: `00` names no item. Whoever shows a value follows its pointer by this.
    """
    return _follow(document, split_pointer(pointer))


def _follow(document: dict[str, Json], path: tuple[str, ...]) -> Json:
    value: Json = document
    for name in path:
        if type(value) is dict:
            value = value.get(name, ABSENT)
            if value is ABSENT:
                return value
        elif isinstance(value, list) and name.isdecimal() and str(int(name)) == name and int(name) < len(value):
            value = value[int(name)]
        else:
            return ABSENT
    return value


def _others(pointer: str, value: Json, shown: dict[str, str], sheet: _Sheet) -> None:
    if type(value) is dict and value:
        _check_room(pointer, len(value), shown)
        left = [name for name in value if _child(pointer, name) not in shown]
        for name in sorted(left, key=_utf_16) if len(left) > 1 else left:
            _others(_child(pointer, name), value[name], shown, sheet)
    elif type(value) is list and value:
        _check_room(pointer, len(value), shown)
        for index, item in enumerate(value):
            if f"{pointer}/{index}" not in shown:
                _others(f"{pointer}/{index}", item, shown, sheet)
    else:
        sheet.add("other", _escaped(pointer), "text", _text(value))


def _check_room(pointer: str, members: int, shown: dict[str, str]) -> None:
    """Refuse a container before it is walked: a member has a line of its own, or an entry shows something of it."""
    if members > MAX_LINES + len(shown) or len(pointer) > MAX_OCTETS:
        raise _too_large(f"{members} members")


def _child(pointer: str, name: str) -> str:
    """Give the pointer of a member (RFC 6901 section 3)."""
    if "~" in name or "/" in name:
        name = name.replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{name}"


def _utf_16(name: str) -> bytes:
    """Give what JCS orders names by (RFC 8785 section 3.2.3)."""
    return name.encode("utf-16-be")


def _formatted(kind: str, value: Json) -> tuple[str, str]:
    """Give format and text; a value that its format cannot take is shown as text."""
    text = _FORMATS[kind](value)
    return ("text", _text(value)) if text is None else (kind, text)


def _text(value: Json) -> str:
    if type(value) is str and value.isascii() and value.isprintable() and "\\" not in value and len(value) < MAX_OCTETS:
        return value  # the commonest case, without a further call
    return _escaped(value if isinstance(value, str) else canonical.encode(value).decode())


def _money(value: Json) -> str | None:
    if not isinstance(value, dict) or len(value) != _MONEY_MEMBERS:
        return None
    amount, currency = value.get("amount"), value.get("currency")
    if not isinstance(amount, str) or not isinstance(currency, str):
        return None
    return f"{amount} {currency}" if _MONEY.fullmatch(amount) and _CURRENCY.fullmatch(currency) else None


def _matching(pattern: re.Pattern[str]) -> Callable[[Json], str | None]:
    return lambda value: value if isinstance(value, str) and value.isascii() and pattern.fullmatch(value) else None


def _email(value: Json) -> str | None:
    found = _EMAIL.fullmatch(value) if isinstance(value, str) else None
    return f"{found[1]}@{_a_labels(found[2])}" if found and found[1].isascii() else None


def _url(value: Json) -> str | None:
    found = _URL.fullmatch(value) if isinstance(value, str) else None
    return found[1] + _a_labels(found[2]) + _escaped(found[3]) if found else None


def _a_labels(host: str) -> str:
    """Write each label that is not ASCII by Punycode alone (RFC 3492), without any mapping of its characters."""
    labels = host.split(".")
    return ".".join(
        escape(label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")) for label in labels
    )


def _list(value: Json) -> str | None:
    """Give one item a line: a line feed cannot stand in an item, where it is escaped."""
    if not isinstance(value, list) or not value or any(isinstance(item, dict | list) for item in value):
        return None
    texts, room = [], MAX_OCTETS
    for item in value:
        texts.append(_text(item))
        room -= len(texts[-1]) + 1
        if room < -1:
            raise _too_large(f"a list of {len(value)} items")
    return "\n".join(texts)


def secret(value: Json) -> str | None:
    """Give the text that stands for a secret, the SHA-256 of its UTF-8; None for what is no text."""
    if not isinstance(value, str):
        return None
    return "sha-256 " + base64url.encode(hashlib.sha256(value.encode()).digest())


_FORMATS: Final[dict[str, Callable[[Json], str | None]]] = {
    "money": _money,
    "date": _matching(_DATE),
    "date-time": _matching(_TIME),
    "time-zone": _matching(_ZONE),
    "email": _email,
    "url": _url,
    "account": lambda value: _escaped(value) if isinstance(value, str) else None,
    "list": _list,
    "secret": secret,
}
