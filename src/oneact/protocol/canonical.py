"""Strict JSON in, canonical JSON out: I-JSON (RFC 7493) without floats, and JCS (RFC 8785).

`parse` is the only way by which JSON from outside becomes a value; `encode` gives the one octet string of a value.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final, Never, TypeAlias

import rfc8785

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url

if TYPE_CHECKING:
    from collections.abc import Sequence

Json: TypeAlias = bool | int | str | list["Json"] | dict[str, "Json"] | None

MAX_OCTETS: Final = 256 * 1024
MAX_DEPTH: Final = 16
MAX_INTEGER: Final = 2**53 - 1
_MAX_DIGITS: Final = 17  # a sign and the sixteen digits of 2^53-1
_UNPAIRED: Final = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(chr(p << 16 | 0xFFFE) + chr(p << 16 | 0xFFFF) for p in range(1, 17))
    + "]"
)


def parse(data: bytes, limit: int = MAX_OCTETS) -> Json:
    """Read one JSON text of at most `limit` octets in UTF-8.

    Raises a refusal for what is no I-JSON or outside the limits of the specification's section on forms: duplicate
    names, lone surrogates and noncharacters, numbers that are no integers within 2^53-1, a depth over 16.
    """
    if len(data) > limit:
        raise Refusal(Reason.JSON_TOO_LARGE, f"{len(data)} octets")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(Reason.JSON_MALFORMED, "not UTF-8") from error
    try:
        value: Json = _decode(text)
    except RecursionError as error:
        raise Refusal(Reason.JSON_TOO_DEEP, "nested too deep to read") from error
    except ValueError as error:
        raise Refusal(Reason.JSON_MALFORMED, str(error)) from error
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(value, 1)
    if "\\" in text or not text.isascii():
        _check_characters(value)
    return value


def _decode(text: str) -> Json:
    """Read a text; one without white space around it, as canonical ones are, is scanned at once."""
    try:
        value, end = _SCAN(text, 0)
    except StopIteration:
        end, value = -1, None
    if end != len(text):
        value = _DECODER.decode(text)
    found: Json = value
    return found


def encode(value: Json) -> bytes:
    """Give the canonical octets of a value from `parse` (RFC 8785).

    The standard encoder writes texts as JCS does, and orders names by code point. JCS orders them by UTF-16 code unit,
    which is the same order unless a character lies outside the Basic Multilingual Plane.
    """
    text = "".join(_ENCODE(value, 0))
    if text.isascii():
        return text.encode("ascii")
    if len(text.encode("utf-16-le", "surrogatepass")) == 2 * len(text):
        return text.encode("utf-8")
    return rfc8785.dumps(value)


def comparable(value: Json) -> str:
    """Give a text that two values share if and only if their canonical octets are the same; quicker than these."""
    return "".join(_ENCODE(value, 0))


def encode_texts(value: Sequence[Sequence[str]]) -> bytes:
    """Give the canonical octets of an array of arrays of texts, in which there are no names to order."""
    return "".join(_ENCODE(value, 0)).encode("utf-8")


def text(value: str) -> str:
    """Give the canonical form of one text, quotes included: for forms whose other parts are fixed."""
    return _TEXT(value)


def sha256(data: bytes) -> str:
    """Give base64url(SHA-256(data)), 43 characters."""
    return base64url.encode(hashlib.sha256(data).digest())


def digest(value: Json) -> str:
    """Give base64url(SHA-256(JCS(value))), 43 characters."""
    return sha256(encode(value))


def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Give an object of its members, for `json`'s `object_pairs_hook`; refuses `json_duplicate_key`."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refusal(Reason.JSON_DUPLICATE_KEY, "a member is named twice")
    return found


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS or text == "-0":
        raise Refusal(Reason.JSON_NUMBER, "outside 2^53-1 or negative zero")
    value = int(text)
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise Refusal(Reason.JSON_NUMBER, "outside 2^53-1")
    return value


def _no_float(_: str) -> Never:
    raise Refusal(Reason.JSON_NUMBER, "not an integer")


def _check_depth(value: Json, depth: int) -> None:
    if not isinstance(value, dict | list):
        return
    if depth > MAX_DEPTH:
        raise Refusal(Reason.JSON_TOO_DEEP, "more than 16 levels")
    for inner in value.values() if isinstance(value, dict) else value:
        _check_depth(inner, depth + 1)


def _check_characters(value: Json) -> None:
    if _UNPAIRED.search("".join(_ENCODE(value, 0))):
        raise Refusal(Reason.JSON_SURROGATE, "a lone surrogate or a noncharacter")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=members, parse_float=_no_float, parse_int=_integer, parse_constant=_no_float
)
_SCAN: Final = _DECODER.scan_once  # type: ignore[attr-defined]  # not in the type stubs
_TEXT: Final = json.encoder.encode_basestring
# The standard library's encoder, made once: `JSONEncoder.encode` makes one at every call.
_ENCODE: Final = json.encoder.c_make_encoder(  # type: ignore[attr-defined]  # not in the type stubs
    None, None, json.encoder.encode_basestring, None, ":", ",", True, False, False
)
