"""Forgetting: what has ended, and what nobody came back for, goes by itself, so that no table grows for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.server import waiting
from oneact.store import Write

if TYPE_CHECKING:
    from oneact.server.world import World

AFTER: Final[dict[str, int]] = {
    "end_sessions": 0,
    "end_gestures": 0,
    "end_codes": 0,
    "end_pairing_codes": 0,
    "end_pushed_requests": 600,  # a person who has to sign in first may still open one
    "end_device_codes": 3600,  # an agent that asks late is told that its code has expired
    "end_unpaired_clients": 24 * 3600,
}


async def forget(world: World) -> None:
    """Delete what ended so many seconds ago: short-lived rows, and agents that nobody has paired within a day.

    Each table by itself, so that one which cannot be swept keeps no other from it. Polls go when they no longer count.
    """
    now = world.now()
    for statement, seconds in AFTER.items():
        await world.store.change([Write(statement, (now - seconds,), None)], ())
    world.waiting.forget_polls(now - waiting.FRESH + 1)
