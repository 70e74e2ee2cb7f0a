"""What one caller may cost: a rate for each client address, and the proofs seen in this process."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from oneact.errors import Reason, Refusal

_MAX_CLIENTS: Final = 10_000
_MAX_PROOFS: Final = 200_000
_PROOF_SECONDS: Final = 70  # a proof is good for 60 seconds behind and 5 ahead


class RateLimit:
    """A bucket of `per_minute` requests for each client address, refilled steadily."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now: float) -> None:
        """Take one request of this client at second `now`; refuses `rate_limited` where none is left."""
        left, at = self._buckets.pop(client, (float(self._per_minute), now))
        left = min(float(self._per_minute), left + max(0.0, now - at) * self._per_minute / 60)
        self._buckets[client] = (max(0.0, left - 1), now)
        while len(self._buckets) > _MAX_CLIENTS:
            self._buckets.popitem(last=False)
        if left < 1:
            raise Refusal(Reason.RATE_LIMITED, client)


class SeenProofs:
    """The proofs accepted in this process while they could be shown again (check 5, its end)."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], int] = OrderedDict()

    def remember(self, jkt: str, jti: str, now: int) -> None:
        """Remember a proof; refuses `proof_replayed` for one that is known, `rate_limited` where memory is full."""
        while self._seen and next(iter(self._seen.values())) < now:
            self._seen.popitem(last=False)
        if (jkt, jti) in self._seen:
            raise Refusal(Reason.PROOF_REPLAYED, jti)
        if len(self._seen) >= _MAX_PROOFS:
            raise Refusal(Reason.RATE_LIMITED, "too many proofs to remember")
        self._seen[jkt, jti] = now + _PROOF_SECONDS
