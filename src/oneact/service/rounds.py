"""What a guard does while nobody calls: deliver receipts, say what became of acts that were cut off, remind, forget."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Final

from oneact.errors import Refusal
from oneact.service import unlinking

if TYPE_CHECKING:
    from oneact.service.guard import GuardCore

_ROUND: Final = 1.0  # seconds between rounds of the outbox and of recovery
_REMIND: Final = 60  # rounds between looks for notices that are due
_FORGET: Final = 3600  # rounds between looks for spends that are old
_KEEP: Final = 7 * 24 * 3600
_LOG: Final = logging.getLogger("oneact.service")


async def make(guard: GuardCore, ending: asyncio.Event) -> None:
    """Deliver, recover and forget, round by round, whatever a round meets; when it is `ending`, deliver all once."""
    number = 0
    while not ending.is_set():
        try:
            await guard.execution.recover()
            await guard.outbox.deliver()
            if number % _REMIND == 0:
                await unlinking.remind(guard)
            if number % _FORGET == 0:
                await guard.execution.forget(guard.now() - _KEEP)
        except Exception:  # noqa: BLE001 - one failed round must not be the last one
            _LOG.exception("a round of the outbox failed")
        number += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), _ROUND)
    try:
        await guard.outbox.flush()
    except Refusal as refusal:
        _LOG.warning("receipts wait for the next start: %s", refusal)
