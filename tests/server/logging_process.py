"""A process that logs and sequences for ever, and prints how many entries have been acknowledged to it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from oneact.log.entry import Entry, Kind
from oneact.server import Settings
from oneact.server.tlog import sequencer
from oneact.server.world import World, open_world


async def _log(world: World) -> None:
    held = len(await world.store.all("leaves", 0, 1_000_000)) + len(
        await world.store.all("entries_without_leaf", 1_000_000)
    )
    while True:
        entries = [Entry(Kind.ASKED, number, "", "", {"number": number}) for number in range(40)]
        await asyncio.gather(*(world.store.change((), [entry]) for entry in entries))
        held += len(entries)
        print(held, flush=True)  # noqa: T201 - what it has to say


async def main(folder: Path) -> None:
    """Log and sequence, as fast as both go."""
    world = await open_world(Settings("http://localhost:8400", folder / "server.db", folder / "server.jwk"))
    logging = asyncio.create_task(_log(world))
    while not logging.done():
        await sequencer.sequence(world)
        await asyncio.sleep(0)
    await logging


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
