"""What one caller may cost: a rate for each client address, and the proofs seen in this process."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Final

from oneact import ip
from oneact.errors import Reason, Refusal

_MAX_CLIENTS: Final = 10_000
_MAX_PROOFS: Final = 200_000
_MAX_HELD: Final = 20_000  # of one key
_FAIR_SHARE: Final = 100
_PROOF_SECONDS: Final = 70  # a proof is good for 60 seconds behind and 5 ahead


class RateLimit:
    """A bucket of `per_minute` requests for each client address, refilled steadily."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now: float) -> None:
        """Take one request of this client at second `now`; refuses `rate_limited` where none is left.

        An IPv6 address counts with its whole /64.
        """
        client = ip.caller(client)
        left, at = self._buckets.pop(client, (float(self._per_minute), now))
        left = min(float(self._per_minute), left + max(0.0, now - at) * self._per_minute / 60)
        self._buckets[client] = (max(0.0, left - 1), now)
        while len(self._buckets) > _MAX_CLIENTS:
            self._buckets.popitem(last=False)
        if left < 1:
            raise Refusal(Reason.RATE_LIMITED, client)


class SeenProofs:
    """The proofs accepted in this process while they could be shown again (check 5, its end).

    Room is counted by key: who has used up theirs is refused, and where all of it is used up only those who have more
    than a fair share.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._held: Counter[str] = Counter()

    def remember(self, jkt: str, jti: str, now: int) -> None:
        """Remember a proof; refuses `proof_replayed` for a known one, `rate_limited` where its key has no room."""
        while self._seen and next(iter(self._seen.values())) < now:
            self._forget(self._seen.popitem(last=False)[0][0])
        if (jkt, jti) in self._seen:
            raise Refusal(Reason.PROOF_REPLAYED, jti)
        if self._held[jkt] >= (_FAIR_SHARE if len(self._seen) >= _MAX_PROOFS else _MAX_HELD):
            raise Refusal(Reason.RATE_LIMITED, "too many proofs to remember")
        self._seen[jkt, jti] = now + _PROOF_SECONDS
        self._held[jkt] += 1

    def _forget(self, jkt: str) -> None:
        self._held[jkt] -= 1
        if not self._held[jkt]:
            del self._held[jkt]
