"""Limits on how often someone may try, kept so that nobody's tries use up the room of others."""

from __future__ import annotations

from typing import Final

from oneact import ip
from oneact.errors import Reason, Refusal

_WINDOW: Final = 60
_MAX_STRANGERS: Final = 50_000
_NEIGHBOURS: Final = 16  # times one caller's limit, for all of a network together


class RateLimits:
    """Counts within fixed windows of a minute; kept in this process.

    Persons who are signed in and agents that are registered are counted by name and are never refused for want of
    room. Whoever else calls is counted by address, an IPv6 address by its /64; when too many addresses have called to
    keep them all, further ones are counted together with their network.
    """

    def __init__(self) -> None:
        self._window = 0
        self._known: dict[str, int] = {}
        self._strangers: dict[tuple[str, str], int] = {}

    def known(self, key: str, limit: int, now: int) -> None:
        """Count one try under a key that names who was recognised; refuses `rate_limited` after `limit` in a minute."""
        self._turn(now)
        count = self._known.get(key, 0) + 1
        if count > limit:
            raise Refusal(Reason.RATE_LIMITED, f"{key}: {count} in a minute")
        self._known[key] = count

    def stranger(self, what: str, address: str, limit: int, now: int) -> None:
        """Count one try of `what` from an address; refuses `rate_limited` after `limit` in a minute."""
        self._turn(now)
        key = what, ip.caller(address)
        if key not in self._strangers and len(self._strangers) >= _MAX_STRANGERS:
            key, limit = (what, ip.network(address)), limit * _NEIGHBOURS
        count = self._strangers.get(key, 0) + 1
        if count > limit:
            raise Refusal(Reason.RATE_LIMITED, f"{key}: {count} in a minute")
        self._strangers[key] = count

    def _turn(self, now: int) -> None:
        if self._window != now // _WINDOW:
            self._window, self._known, self._strangers = now // _WINDOW, {}, {}
