"""Rotating the service's key: a new one comes first, the one before still counts, one that is over goes.

Only the first two keys of a file recognise their offers, and only published keys verify offers and receipts. So no key
leaves these places while something of it may be under way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.errors import Refusal
from oneact.protocol import approval, offer, receipt, token
from oneact.service.keys import GENERATIONS, SETTLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from oneact.protocol.jwk import SigningKey

# An offer lives, is approved in its last second, and its token is shown in that one's last.
OVERLAP: Final = SETTLE + offer.LIFETIME + approval.LIFETIME_BATCH + token.LIFETIME


def with_new(keys: Sequence[SigningKey], new: SigningKey, since: float) -> list[SigningKey]:
    """Give the keys with a new first one; `since` is how many seconds ago they changed last.

    Raises ValueError where that pushes one out of the first two whose offers may still be alive.
    """
    if len(keys) >= GENERATIONS:
        _check_over(since, keys[GENERATIONS - 1])
    return [new, *keys]


def without(keys: Sequence[SigningKey], kid: str, since: float, undelivered: Iterable[str]) -> list[SigningKey]:
    """Give the keys without the one named `kid`; `undelivered` are the receipts still under way.

    Raises ValueError for a key that is not there or that signs, and while an offer of it may be alive or a
    receipt of it is under way.
    """
    found = [key for key in keys if key.public.thumbprint == kid]
    if not found:
        raise ValueError(f"there is no key {kid}")
    if found[0] is keys[0]:
        raise ValueError(f"{kid} is the newest key: rotate first")
    _check_over(since, found[0])
    waiting = sum(_signed_by(text) == kid for text in undelivered)
    if waiting:
        raise ValueError(f"{waiting} receipts by {kid} have not arrived yet")
    return [key for key in keys if key.public.thumbprint != kid]


def _check_over(since: float, key: SigningKey) -> None:
    if not since >= OVERLAP:
        left = f"wait until {OVERLAP} seconds after the last change of the file, which was {int(since)} seconds ago"
        raise ValueError(f"offers of {key.public.thumbprint} may still be alive: {left}")


def _signed_by(text: str) -> str | None:
    """Give the `kid` of a receipt; None for what cannot be read, which no key could help."""
    try:
        return receipt.parse(text)[1].header.kid
    except Refusal:
        return None
