"""Tickets: what a service shows to say what became of the one act that it was handed."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url, canonical
from oneact.service.store.contract import SpendKey

if TYPE_CHECKING:
    from collections.abc import Sequence

_TAG: Final = b"oneact-sidecar-ticket-1\n"
_MAX: Final = 4096


def make(key: SpendKey, secret: bytes) -> str:
    """Give the ticket of a spend: its key, and an HMAC-SHA-256 over that, so that only who was handed it has it.

    The sidecar keeps nothing for it: one that was killed and started again, or another one over the same store, takes
    the ticket too.
    """
    named = canonical.encode([key.iss, key.txn])
    return f"{base64url.encode(named)}.{base64url.encode(_sign(key, secret))}"


def read(text: str, aud: str, secrets: Sequence[bytes]) -> SpendKey:
    """Give the key of a ticket made with one of `secrets` at the service `aud`; refuses `receipt_unknown`."""
    named, _, signed = text.partition(".")
    try:
        value = canonical.parse(base64url.decode(named), _MAX)
        given = base64url.decode(signed)
    except Refusal as refusal:
        raise Refusal(Reason.RECEIPT_UNKNOWN, "no ticket") from refusal
    match value:
        case [str(issuer), str(txn)]:
            key = SpendKey(aud, issuer, txn)
        case _:
            raise Refusal(Reason.RECEIPT_UNKNOWN, "no ticket")
    if not any(hmac.compare_digest(given, _sign(key, secret)) for secret in secrets):
        raise Refusal(Reason.RECEIPT_UNKNOWN, "not a ticket of this service")
    return key


def _sign(key: SpendKey, secret: bytes) -> bytes:
    return hmac.digest(secret, _TAG + canonical.encode(list(key)), hashlib.sha256)
