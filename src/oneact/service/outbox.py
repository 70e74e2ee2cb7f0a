"""The way of receipts to their approval server: tried until they arrive, across restarts."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from oneact.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.fetch import Fetcher
    from oneact.service.issuers import Issuers
    from oneact.service.store.contract import Delivery, Store

_LEASE: Final = 30  # seconds in which no other process tries the same receipt
_MAX_WAIT: Final = 3600
_MAX_ATTEMPTS: Final = 200
_ARRIVED: Final = frozenset({200, 204, 409})  # 409: the server holds another word on this act, and keeps it
_LOG: Final = logging.getLogger("oneact.service")


class Outbox:
    """Delivers receipts; `now` gives the second."""

    def __init__(self, store: Store, issuers: Issuers, now: Callable[[], int], fetcher: Fetcher) -> None:
        self._store = store
        self._issuers = issuers
        self._now = now
        self._fetcher = fetcher

    async def deliver(self) -> int:
        """Try receipts that are due, some dozens at most, and give the number that arrived."""
        return sum(await self._round(self._now()))

    async def flush(self) -> int:
        """Try every receipt that is due at this moment, once, and give the number that arrived."""
        arrived, moment = 0, self._now()
        while tried := await self._round(moment):
            arrived += sum(tried)
        return arrived

    async def _round(self, moment: int) -> list[bool]:
        """Try receipts due at that second; none of them is due at it again."""
        due = await self._store.claim_deliveries(moment, self._now() + _LEASE)
        return await asyncio.gather(*(self._try(delivery) for delivery in due))

    async def _try(self, delivery: Delivery) -> bool:
        arrived = await self._arrives(delivery)
        if arrived or delivery.attempts >= _MAX_ATTEMPTS:
            if not arrived:
                _LOG.error("a receipt for %s was given up", delivery.iss)
            await self._store.delivered(delivery)
        else:
            wait = min(_MAX_WAIT, 1 << min(delivery.attempts, 12))
            await self._store.postpone(delivery, self._now() + wait)
        return arrived

    async def _arrives(self, delivery: Delivery) -> bool:
        try:
            address = await self._issuers.endpoint(delivery.iss, "receipt_endpoint")
            headers, body = {"Content-Type": "application/jwt"}, delivery.receipt.encode("ascii")
            answer = await self._fetcher.request("POST", address, headers=headers, body=body)
        except Refusal as refusal:
            _LOG.info("a receipt for %s waits: %s", delivery.iss, refusal)
            return False
        return answer.status in _ARRIVED
