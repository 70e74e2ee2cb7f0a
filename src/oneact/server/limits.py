"""Limits on how often someone who has not been recognised may try."""

from __future__ import annotations

from typing import Final

from oneact.errors import Reason, Refusal

_MAX_KEYS: Final = 50_000


class RateLimits:
    """Counts by key within fixed windows of a minute; kept in this process."""

    def __init__(self) -> None:
        self._window = 0
        self._counts: dict[str, int] = {}

    def check(self, key: str, limit: int, now: int) -> None:
        """Count one try of `key`; refuses `rate_limited` after `limit` tries in a minute, or when no room is left."""
        if self._window != now // 60:
            self._window, self._counts = now // 60, {}
        count = self._counts.get(key, 0) + 1
        if count > limit or len(self._counts) >= _MAX_KEYS:
            raise Refusal(Reason.RATE_LIMITED, f"{key}: {count} in a minute")
        self._counts[key] = count
