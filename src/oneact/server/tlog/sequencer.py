"""The sequencer: gives entries their places in the tree, some thousand at once, and signs what the tree then is.

Leaves, tiles and head change in one transaction that names the size it starts from. Of two sequencers one wins; of a
sequencer that dies, all of its batch stands or nothing.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.log import tiles
from oneact.log.tree import leaf_hash
from oneact.protocol import base64url
from oneact.server.tlog import head
from oneact.store import Write

if TYPE_CHECKING:
    from oneact.server.world import World

BATCH: Final = 4096
EVERY: Final = 1.0  # seconds
_logger: Final = logging.getLogger("oneact.server")


async def sequence(world: World) -> int:
    """Put a batch of entries into the tree and show its checkpoint; give how many they were.

    Refuses `log_root` where the database's tree is broken: then nothing is signed.
    """
    rows = await world.store.all("entries_without_leaf", BATCH)
    stands = await world.store.one("log_head")
    if stands is None:
        raise Refusal(Reason.LOG_ROOT, "the log has no head")
    if not rows:
        await world.log.show(stands["note"], stands["size"])  # another process may have sequenced
        return 0
    before, after = stands["size"], stands["size"] + len(rows)
    edge = await head.edge(world.store, before)
    grown = tiles.append(edge, before, [leaf_hash(base64url.decode(row["commitment"])) for row in rows])
    root = tiles.root_of_edge(edge)
    note = world.log.sign(after, root)
    writes = [
        Write("move_log_head", (before, after, root, note, world.now())),
        Write("give_leaves", (rows[0]["seq"], rows[-1]["seq"], before), len(rows)),
        *(Write("keep_tile", (level, number, octets)) for (level, number), octets in grown.items()),
    ]
    if not await world.store.change(writes, ()):
        return 0
    await world.log.show(note, after)
    return len(rows)


async def sequence_all(world: World) -> None:
    """Put everything that has been logged until now into the tree."""
    while await world.store.all("entries_without_leaf", 1):
        await sequence(world)


async def sequence_for_ever(world: World) -> None:
    """Sequence every second, at once again while there is more, until cancelled."""
    while True:
        try:
            more = await sequence(world) == BATCH
        except Refusal as refusal:
            more = False
            _logger.warning("the log was not sequenced: %s", refusal)
        if not more:
            await asyncio.sleep(EVERY)
