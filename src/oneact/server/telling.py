"""Telling a person that something waits for them, and the log that they were told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneact.log.entry import Entry, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oneact.server.world import World


async def tell(world: World, account: str, requests: Iterable[str]) -> None:
    """Wake the person's open pages; where one is open, it is told at this moment, and the log says so."""
    if world.waiting.waited_for(account):
        now = world.now()
        entries = [Entry(Kind.NOTIFIED, now, account, request, {"channel": "inbox"}) for request in requests]
        await world.store.change((), entries)
    world.waiting.wake(account)
