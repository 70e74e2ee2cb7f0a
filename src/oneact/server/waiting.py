"""Who waits for what in this process: agents for a decision, inboxes for something new."""

from __future__ import annotations

import asyncio
from typing import Final

FRESH: Final = 15  # seconds for which an agent that polls without waiting counts as listening


class Waiting:
    """Wake-ups by key: a request's identifier, or an account's. A wake-up says only: look again."""

    def __init__(self) -> None:
        self._waiters: dict[str, set[asyncio.Future[None]]] = {}
        self._seen: dict[str, int] = {}
        self._ended = False

    async def wait(self, key: str, seconds: float) -> None:
        """Return when `key` is woken, or after so many seconds; at once where the process is about to end."""
        if self._ended:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiters = self._waiters.setdefault(key, set())
        waiters.add(future)
        handle = asyncio.get_running_loop().call_later(seconds, _finish, future)
        try:
            await future
        finally:
            handle.cancel()
            waiters.discard(future)
            if not waiters:
                self._waiters.pop(key, None)

    def wake(self, key: str) -> None:
        """Let everyone look again who waits for `key`."""
        for future in self._waiters.get(key, ()):
            _finish(future)

    def end(self) -> None:
        """Let everyone go who waits, also from a signal's handler: the process ends, and keeps nobody until it has."""
        self._ended = True
        for future in [future for waiters in self._waiters.values() for future in waiters]:
            future.get_loop().call_soon_threadsafe(_finish, future)

    def waited_for(self, key: str) -> bool:
        """Tell whether anyone waits for `key` at this moment."""
        return key in self._waiters

    def polled(self, key: str, now: int) -> int:
        """Note a poll at second `now` and give the second of the one before, 0 if there was none."""
        before = self._seen.get(key, 0)
        self._seen[key] = now
        return before

    def forget(self, key: str) -> None:
        """Forget a request that has ended."""
        self._seen.pop(key, None)

    def forget_polls(self, before: int) -> None:
        """Forget polls from before a second: whoever has not asked for so long does not count as asking too often."""
        self._seen = {key: second for key, second in self._seen.items() if second >= before}

    def listening(self, key: str, now: int) -> bool:
        """Tell whether the agent waits at this moment, or has asked within the last seconds."""
        return self.waited_for(key) or now - self._seen.get(key, -FRESH) < FRESH


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
