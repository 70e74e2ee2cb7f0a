"""DPoP nonces without state, and the identifiers that may be seen only once (RFC 9449 sections 8 and 11.1)."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url

_BUCKET: Final = 60
_MAX_SEEN: Final = 400_000
_MAX_HELD: Final = 20_000  # of one holder: some thirty calls a second
_FAIR_SHARE: Final = 100
_NAME: Final = 16  # octets of a hash that stand for an identifier


class Nonces:
    """Nonces that are good for one to two minutes; made from a secret of this process, so a restart ends them all."""

    def __init__(self, secret: bytes) -> None:
        """Take 32 random octets."""
        self._secret = secret

    def current(self, now: int) -> str:
        """Give the nonce to hand out at second `now`."""
        return self._at(now // _BUCKET)

    def good(self, now: int) -> tuple[str, str]:
        """Give the nonces that are accepted at second `now`."""
        return self._at(now // _BUCKET), self._at(now // _BUCKET - 1)

    def _at(self, bucket: int) -> str:
        return base64url.encode(hmac.digest(self._secret, bucket.to_bytes(8, "big"), hashlib.sha256)[:16])


@dataclass(slots=True)
class _Bucket:
    """What ends within the same minute: the hashes of identifiers, and how many of them each holder has."""

    names: set[bytes] = field(default_factory=set)
    held: Counter[str] = field(default_factory=Counter)


class SeenOnce:
    """Identifiers that were seen, each until it could not be used any more anyway, by the minute in which that is.

    One process suffices: a nonce belongs to one process, and without a good nonce nothing gets here. Room is counted
    by holder: who has used up theirs is refused, and where all of it is used up only those who have more than a fair
    share.
    """

    def __init__(self) -> None:
        self._buckets: dict[int, _Bucket] = {}

    def first(self, holder: str, identifier: str, until: int, now: int) -> bool:
        """Note an identifier of `holder` that can be used until second `until`; False where it was there before.

        `holder` has to be someone whose signature has been verified. Refuses `rate_limited` where their room is full.
        """
        for ended in [minute for minute in self._buckets if minute < now // _BUCKET]:
            del self._buckets[ended]
        name = hashlib.sha256(f"{holder}\n{identifier}".encode()).digest()[:_NAME]
        if any(name in bucket.names for bucket in self._buckets.values()):
            return False
        held = sum(bucket.held[holder] for bucket in self._buckets.values())
        full = sum(len(bucket.names) for bucket in self._buckets.values()) >= _MAX_SEEN
        if held >= (_FAIR_SHARE if full else _MAX_HELD):
            raise Refusal(Reason.RATE_LIMITED, f"{holder} has {held} identifiers that live")
        bucket = self._buckets.setdefault(until // _BUCKET, _Bucket())
        bucket.names.add(name)
        bucket.held[holder] += 1
        return True
