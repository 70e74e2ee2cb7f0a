"""Webhooks, signed as Standard Webhooks has it: HMAC-SHA-256 over identifier, second and body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from oneact import fetch
from oneact.errors import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Collection

    from oneact.notify.message import Message

_PREFIX: Final = "whsec_"
_SUCCESS: Final = range(200, 300)


def parse_secret(text: str) -> bytes:
    """Read a secret, `whsec_` and base64 of 24 to 64 octets; else refuse `request_malformed`."""
    try:
        octets = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(Reason.REQUEST_MALFORMED, "a webhook's secret is not base64") from error
    if not text.startswith(_PREFIX) or not 24 <= len(octets) <= 64:  # noqa: PLR2004 - the lengths of the standard
        raise Refusal(Reason.REQUEST_MALFORMED, "a webhook's secret is whsec_ and base64 of 24 to 64 octets")
    return octets


def headers(message: Message, secret: bytes, now: int) -> dict[str, str]:
    """Give the header fields of one attempt at second `now`."""
    signed = f"{message.id}.{now}.".encode() + message.body()
    signature = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode("ascii")
    return {
        "Content-Type": "application/json",
        "webhook-id": message.id,
        "webhook-timestamp": str(now),
        "webhook-signature": f"v1,{signature}",
    }


def send(url: str, message: Message, secret: bytes, now: int, private_hosts: Collection[str]) -> None:
    """Post a message; refuses `metadata_unreachable` unless it was taken, `address_forbidden` where it may not go."""
    answer = fetch.fetch(
        "POST", url, headers=headers(message, secret, now), body=message.body(), private_hosts=private_hosts
    )
    if answer.status not in _SUCCESS:
        raise Refusal(Reason.METADATA_UNREACHABLE, f"{url!r} answered {answer.status}")
