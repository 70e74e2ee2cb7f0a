"""A clock for tests that stands still until it is moved."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class FrozenClock:
    """Give it as `now=` to a guard, as `clock=` to an approval server; seconds since the epoch."""

    now: int = 1_800_000_000

    def __call__(self) -> int:
        """Give the second at which the clock stands."""
        return self.now

    def advance(self, seconds: int) -> int:
        """Move the clock forward and give the new second."""
        if seconds < 0:
            raise ValueError("time goes forward")
        self.now += seconds
        return self.now
