r"""`txn`: the transaction identifier by which a service knows its own offer again without keeping it.

txn = base64url(f | r | exp | HMAC-SHA-256(K, message)), where
message = "oneact-txn-1\n" | f | r | exp | issuer \n act digest \n [sub \n jkt],
f is one octet (1 if the offer names `sub` and `jkt`), r 16 random octets, exp an unsigned 64-bit integer, big-endian.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url

if TYPE_CHECKING:
    from collections.abc import Sequence

_TAG: Final = b"oneact-txn-1\n"
_NONCE: Final = 16
_HEAD: Final = 1 + _NONCE + 8
_LENGTH: Final = _HEAD + 32


def mint(
    key: bytes, nonce: bytes, exp: int, issuer: str, act_digest: str, holder: tuple[str, str] | None = None
) -> str:
    """Make a `txn`, 76 characters; `nonce` is 16 random octets, `holder` the (`sub`, `jkt`) that the offer names."""
    head = (b"\x01" if holder else b"\x00") + nonce + exp.to_bytes(8, "big")
    if len(head) != _HEAD:
        raise ValueError("the nonce is not 16 octets")
    return base64url.encode(head + _mac(key, head, issuer, act_digest, holder))


def check(
    keys: Sequence[bytes], txn: str, issuer: str, act_digest: str, holder: tuple[str, str], approved_at: int
) -> None:
    """Refuse a `txn` that none of the service's `keys` made for this issuer, act and holder, or that had expired.

    `approved_at` is the statement's `iat` in seconds; the offer has to be alive at that second.
    """
    octets = base64url.decode(txn, Reason.TXN_MALFORMED)
    if len(octets) != _LENGTH or octets[0] > 1:
        raise Refusal(Reason.TXN_MALFORMED, "not 57 octets, or an unknown form")
    head, mac = octets[:_HEAD], octets[_HEAD:]
    named = holder if octets[0] else None
    if not any(hmac.compare_digest(mac, _mac(key, head, issuer, act_digest, named)) for key in keys):
        raise Refusal(Reason.TXN_FOREIGN, "no key of the service made it for this act, issuer and holder")
    if approved_at >= int.from_bytes(head[1 + _NONCE :], "big"):
        raise Refusal(Reason.TXN_EXPIRED, "the offer had expired when it was approved")


def _mac(key: bytes, head: bytes, issuer: str, act_digest: str, holder: tuple[str, str] | None) -> bytes:
    named = f"{holder[0]}\n{holder[1]}" if holder else ""
    message = _TAG + head + f"{issuer}\n{act_digest}\n{named}".encode()
    return hmac.digest(key, message, hashlib.sha256)
