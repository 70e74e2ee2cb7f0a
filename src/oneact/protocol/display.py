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
from oneact.protocol.action import split_summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.protocol.action import Action
    from oneact.protocol.canonical import Json

MAX_LINES: Final = 200
MAX_OCTETS: Final = 16 * 1024
_AROUND: Final = 40  # octets of a line beside label and text, at the most
_ESCAPED: Final = re.compile(
    "[\\\\\u00ab\u00bb\u0000-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
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


def render(action: Action, parameters: dict[str, Json], terms: dict[str, Json] | None) -> tuple[Line, ...]:
    """Give the lines of an act: the intent, the template's lines, then every other member under its pointer.

    Refuses `too_large_to_show` over 200 lines or 16 KiB of JCS.
    """
    document: dict[str, Json] = {"parameters": parameters}
    if terms is not None:
        document["terms"] = terms
    lines: list[Line] = []
    shown: dict[str, str] = {}
    for entry in action.display:
        value = at(document, entry.pointer)
        if value is not ABSENT:
            kind, text = _formatted(entry.format, value)
            shown[entry.pointer] = text
            lines.append((entry.section, entry.label, kind, text))
    lines.insert(0, ("intent", action.intent, "text", _summary(action.summary, document, shown)))
    for name, member in document.items():
        _others(f"/{name}", member, action.formats, lines)
    _check_size(lines)
    return tuple(lines)


def encode(lines: tuple[Line, ...]) -> bytes:
    """Give the JCS of the lines, whose SHA-256 is the display digest."""
    return canonical.encode_texts(lines)


def digest(lines: tuple[Line, ...]) -> str:
    """Give the display digest, 43 characters."""
    return canonical.sha256(encode(lines))


def escape(text: str) -> str:
    """Give the text with backslash, the marks of a set-apart value and everything invisible written as escapes."""
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return _ESCAPED.sub(lambda match: "\\\\" if match[0] == "\\" else f"\\u{{{ord(match[0]):X}}}", text)


def _check_size(lines: list[Line]) -> None:
    # No control character is left, so a character is at most four octets here; only near the limit is it measured.
    bound = sum([len(line[1]) + len(line[3]) for line in lines]) * 4 + len(lines) * _AROUND
    too_large = bound > MAX_OCTETS and len(encode(tuple(lines))) > MAX_OCTETS
    if len(lines) > MAX_LINES or too_large:
        raise Refusal(Reason.TOO_LARGE_TO_SHOW, f"{len(lines)} lines")


def _summary(summary: str, document: dict[str, Json], shown: dict[str, str]) -> str:
    """Fill a summary, with the texts of the lines where there are such; what is absent is filled in empty."""
    text, places = _places(summary)
    for pointer, after in places:
        filled = shown.get(pointer)
        if filled is None:
            value = at(document, pointer)
            filled = "" if value is ABSENT else _text(value)
        text += f"\u00ab{filled}\u00bb{after}"
    return text


@lru_cache(maxsize=1024)
def _places(summary: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Give a summary's first text, then each pointer with the text after it; the texts escaped."""
    parts = split_summary(summary)
    return escape(parts[0]), tuple(zip(parts[1::2], map(escape, parts[2::2]), strict=True))


def at(document: dict[str, Json], pointer: str) -> Json:
    """Follow a JSON pointer (RFC 6901) through objects and arrays; `ABSENT` where it leads nowhere.

    An index stands as RFC 6901 writes it: `00` names no item. Whoever shows a value follows its pointer by this.
    """
    value: Json = document
    for name in _tokens(pointer):
        if type(value) is dict:
            value = value.get(name, ABSENT)
            if value is ABSENT:
                return value
        elif isinstance(value, list) and name.isdecimal() and str(int(name)) == name and int(name) < len(value):
            value = value[int(name)]
        else:
            return ABSENT
    return value


@lru_cache(maxsize=4096)
def _tokens(pointer: str) -> tuple[str, ...]:
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/"))


def _others(pointer: str, value: Json, shown: dict[str, str], lines: list[Line]) -> None:
    if type(value) is dict and value:
        left = [name for name in value if _child(pointer, name) not in shown]
        for name in sorted(left, key=_utf_16) if len(left) > 1 else left:
            _others(_child(pointer, name), value[name], shown, lines)
    elif type(value) is list and value:
        for index, item in enumerate(value):
            if f"{pointer}/{index}" not in shown:
                _others(f"{pointer}/{index}", item, shown, lines)
    else:
        kind, text = _formatted("text", value)
        lines.append(("other", escape(pointer), kind, text))


@lru_cache(maxsize=4096)
def _child(pointer: str, name: str) -> str:
    """Give the pointer of a member (RFC 6901 section 3)."""
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def _utf_16(name: str) -> bytes:
    """Give what JCS orders names by (RFC 8785 section 3.2.3)."""
    return name.encode("utf-16-be")


def _formatted(kind: str, value: Json) -> tuple[str, str]:
    """Give format and text; a value that its format cannot take is shown as text."""
    if kind != "text":
        text = _FORMATS[kind](value)
        if text is not None:
            return kind, text
    return "text", _text(value)


def _text(value: Json) -> str:
    return escape(value if isinstance(value, str) else canonical.encode(value).decode())


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
    return found[1] + _a_labels(found[2]) + escape(found[3]) if found else None


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
    return "\n".join(_text(item) for item in value)


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
    "account": lambda value: escape(value) if isinstance(value, str) else None,
    "list": _list,
    "secret": secret,
}
