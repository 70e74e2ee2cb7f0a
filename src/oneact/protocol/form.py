"""Reading closed forms: an object whose members are exactly those named, each of its one type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from oneact.protocol.canonical import Json

MAX_TEXT: Final = 2048
DIGEST_LENGTH: Final = 43  # base64url of 32 octets
_DIGEST: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def closed(
    value: Json, reason: Reason, required: AbstractSet[str], optional: AbstractSet[str] = frozenset()
) -> dict[str, Json]:
    """Give the object if its members are all of `required` and otherwise only of `optional`; else refuse."""
    if not isinstance(value, dict):
        raise Refusal(reason, "not an object")
    names = value.keys()
    if names != required and not (required <= names <= (required | optional)):
        raise Refusal(reason, f"members are {sorted(names)}")
    return value


def text(value: Json, reason: Reason, limit: int = MAX_TEXT) -> str:
    """Give a non-empty text of at most `limit` characters; else refuse."""
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        raise Refusal(reason, "not a text within its limit")
    return value


def integer(value: Json, reason: Reason) -> int:
    """Give a non-negative integer (never a boolean); else refuse."""
    if type(value) is not int or value < 0:
        raise Refusal(reason, "not a non-negative integer")
    return value


def digest(value: Json, reason: Reason) -> str:
    """Give a text of 43 base64url characters, the length of a SHA-256; else refuse."""
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise Refusal(reason, "not a digest")
    return value


def texts(value: Json, reason: Reason, limit: int) -> tuple[str, ...]:
    """Give an array of one to `limit` distinct non-empty texts; else refuse."""
    if not isinstance(value, list) or not 0 < len(value) <= limit:
        raise Refusal(reason, "not an array within its limit")
    found: list[str] = []
    for item in value:  # no generator: this is on the hottest path
        if not isinstance(item, str) or not 0 < len(item) <= MAX_TEXT:
            raise Refusal(reason, "an array holds what is no text within its limit")
        found.append(item)
    if len(found) > 1 and len(set(found)) != len(found):
        raise Refusal(reason, "an array names one text twice")
    return tuple(found)
