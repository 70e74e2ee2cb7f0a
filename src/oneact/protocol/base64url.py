"""Base64url without padding, in its one canonical form (RFC 7515 section 2)."""

from __future__ import annotations

import binascii
from typing import Final

from oneact.errors import Reason, Refusal

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
# The other way, `+` and `/` themselves become a character that no decoder takes.
_FROM_URL: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
_PADDING: Final = {0: b"", 2: b"==", 3: b"="}
# With two or three characters left over, the last one holds 4 or 2 bits that have to be zero.
_LAST: Final = {0: None, 2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}


def encode(data: bytes) -> str:
    """Encode octets without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode("ascii")


def length(octets: int) -> int:
    """Give how many characters so many octets take."""
    return -(-octets * 4 // 3)


def decode(text: str, reason: Reason = Reason.BASE64URL_MALFORMED) -> bytes:
    """Decode text that is exactly what `encode` gives for its octets.

    Padding, foreign characters, white space and stray trailing bits are refused with `reason`.
    """
    left = len(text) % 4
    if left not in _PADDING or not text.isascii():
        raise Refusal(reason, "not a length or not characters of base64url")
    last = _LAST[left]
    if last is not None and text[-1] not in last:
        raise Refusal(reason, "trailing bits are not zero")
    try:
        return binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL) + _PADDING[left], strict_mode=True)
    except binascii.Error as error:
        raise Refusal(reason, "not base64url") from error
