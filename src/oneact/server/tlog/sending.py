"""Checkpoints sent away on a schedule, so that somebody else holds yesterday's."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from oneact import notify
from oneact.errors import Refusal
from oneact.log import checkpoint
from oneact.notify import Means, Message
from oneact.store import Write

if TYPE_CHECKING:
    from oneact.server.world import World

LOOK_EVERY: Final = 60.0  # seconds between looks at what is due
_logger: Final = logging.getLogger("oneact.server")


async def send_due(world: World) -> int:
    """Send the checkpoint to each address that has had none for `checkpoints_every` seconds; give to how many.

    An address that does not take it is due again at the next look; the others are not kept waiting. A checkpoint that
    an address has is not sent to it twice.
    """
    sent = 0
    for text in world.settings.checkpoints_to:
        before = await world.store.one("sent_checkpoint", text)
        due = before is None or before["at"] + world.settings.checkpoints_every <= world.now()
        if due and world.log.note and (before is None or before["size"] < world.log.size):
            try:
                await _send(world, text)
            except Refusal as refusal:
                _logger.warning("the checkpoint was not sent to %s: %s", text, refusal)
            else:
                sent += 1
    return sent


async def send_for_ever(world: World) -> None:
    """Send what is due, every minute, until cancelled."""
    while True:
        try:
            await send_due(world)
        except Refusal as refusal:
            _logger.warning("checkpoints: %s", refusal)
        await asyncio.sleep(LOOK_EVERY)


async def _send(world: World, text: str) -> None:
    note, settings, now = world.log.note, world.settings, world.now()
    means = Means(settings.webhook_secret, settings.smtp_url, world.fetch.fetcher.excepted)
    size = checkpoint.parse(note).size
    await asyncio.to_thread(notify.send, notify.parse(text), message(note, now), means, now)
    await world.store.change([Write("keep_sent_checkpoint", (text, size, now))], ())


def message(note: str, now: int) -> Message:
    """Give the message of a checkpoint; as a file it sorts by size, and its text is the note itself."""
    point = checkpoint.parse(note)
    return Message(
        id=f"checkpoint-{point.size}",
        kind="log.checkpoint",
        at=now,
        name=f"{point.size:012d}.checkpoint",
        subject=f"{point.origin}: {point.size} entries",
        text=note,
        data={"origin": point.origin, "size": point.size, "checkpoint": note},
    )
