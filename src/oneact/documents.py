"""JSON documents that others publish, kept for a while: bounded by their octets, in all and for each origin."""

from __future__ import annotations

import asyncio
import http.client
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, metadata

if TYPE_CHECKING:
    from oneact.fetch import Fetched, Fetcher
    from oneact.protocol.canonical import Json

TTL: Final = 300.0
FAILED_FOR: Final = 3.0
REFRESH_EVERY: Final = 10.0
MAX_OCTETS: Final = 16 * 1024 * 1024
MAX_ORIGIN_OCTETS: Final = 1024 * 1024
_LEAST: Final = 2048  # octets that even an empty document counts for
_MAX_FAILED: Final = 1024


@dataclass(frozen=True, slots=True)
class _Entry:
    """One document as it came, and the second (monotonic) in which it did."""

    body: bytes
    fetched: float

    @property
    def weight(self) -> int:
        return max(_LEAST, len(self.body))


class CachedDocuments:
    """JSON documents by URL, each for 300 seconds, fetched once for all who wait for it.

    At most 16 MiB of octets are kept, and 1 MiB of one origin; where room is needed, the origin with the most gives
    it, so nobody's documents are driven out by those of another who publishes more. What could not be had is not
    asked for again within 3 seconds. Octets are kept, not values, which may take twenty times their room.
    """

    def __init__(self, fetcher: Fetcher) -> None:
        self.fetcher = fetcher
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._weights: Counter[str] = Counter()
        self._failed: OrderedDict[str, tuple[float, Reason]] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[Json]] = {}

    async def get_json(self, url: str) -> Json:
        """Give the document at `url`; refuses `metadata_unreachable`, `metadata_invalid`, `address_forbidden`."""
        return await self._younger_than(TTL, url)

    async def refresh(self, url: str) -> Json:
        """Fetch the document anew before its time, for a key that it lacks; at most once in 10 seconds."""
        return await self._younger_than(REFRESH_EVERY, url)

    async def _younger_than(self, seconds: float, url: str) -> Json:
        now, entry = time.monotonic(), self._entries.get(url)
        if entry is not None and now - entry.fetched < seconds:
            self._entries.move_to_end(url)
            return canonical.parse(entry.body)
        failed = self._failed.get(url)
        if failed is not None and now - failed[0] < FAILED_FOR:
            raise Refusal(failed[1], f"{url!r}, a moment ago")
        return await self._fetch_once(url)

    async def _fetch_once(self, url: str) -> Json:
        task = self._under_way.get(url)
        if task is None or task.get_loop() is not asyncio.get_running_loop():  # of a loop that a fork has left behind
            task = asyncio.get_running_loop().create_task(self._fetch(url))
            self._under_way[url] = task
            task.add_done_callback(lambda _: self._under_way.pop(url, None))
        return await asyncio.shield(task)

    async def _fetch(self, url: str) -> Json:
        try:
            found = await self._found(url)
            value = found.json()
        except Refusal as refusal:
            self._fail(url, refusal.reason)
            raise
        self._keep(url, _Entry(found.body, time.monotonic()))
        return value

    async def _found(self, url: str) -> Fetched:
        found = await self.fetcher.request("GET", url, headers={"Accept": "application/json"})
        if found.status != http.client.OK:
            raise Refusal(Reason.METADATA_UNREACHABLE, f"{url!r} answered {found.status}")
        return found

    def _fail(self, url: str, reason: Reason) -> None:
        self._failed.pop(url, None)
        self._failed[url] = time.monotonic(), reason
        if len(self._failed) > _MAX_FAILED:
            self._failed.popitem(last=False)

    def _keep(self, url: str, entry: _Entry) -> None:
        self._failed.pop(url, None)
        self._drop(url)
        for old in [name for name, kept in self._entries.items() if entry.fetched - kept.fetched >= TTL]:
            self._drop(old)
        origin = metadata.origin(url)
        self._entries[url] = entry
        self._weights[origin] += entry.weight
        while self._weights[origin] > MAX_ORIGIN_OCTETS:
            self._drop_oldest_of(origin)
        while self._weights.total() > MAX_OCTETS:
            self._drop_oldest_of(self._weights.most_common(1)[0][0])

    def _drop_oldest_of(self, origin: str) -> None:
        self._drop(next(url for url in self._entries if metadata.origin(url) == origin))

    def _drop(self, url: str) -> None:
        entry = self._entries.pop(url, None)
        if entry is None:
            return
        origin = metadata.origin(url)
        self._weights[origin] -= entry.weight
        if not self._weights[origin]:
            del self._weights[origin]
