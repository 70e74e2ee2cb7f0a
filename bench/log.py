"""What the log costs, per entry and per proof, in a small tree and in a large one.

A tree of so many leaves is built in a real database, then the server's own sequencer goes on from there: entries are
logged and sequenced as in production, proofs are read from the tiles as the evidence is. Leaves that only make the tree
large have no entries. The last number printed is what an entry costs in the large tree, as a multiple of the small one.
"""

from __future__ import annotations

import asyncio
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from oneact.log import tiles, tree
from oneact.log.entry import Entry, Kind
from oneact.server import Settings
from oneact.server.tlog import head, sequencer
from oneact.server.world import World, open_world
from oneact.store import SqliteStore, Write

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SIZES = (10_000, 10_000_000)
ENTRIES, PROOFS, BATCH = 20_000, 500, 65_536


class Cost(NamedTuple):
    """Microseconds: to log an entry durably, to give it its place, to make and check a proof of each kind."""

    logged: float
    sequenced: float
    inclusion: float
    inclusion_checked: float
    consistency: float
    consistency_checked: float
    hashes: float


async def main(sizes: tuple[int, ...]) -> None:
    """Measure at each size."""
    found = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            found[size] = await measure(Path(folder), size)
        cost = found[size]
        print(f"{size:>12,} leaves")
        print(f"  an entry:  {cost.logged:7.1f} µs to log durably, {cost.sequenced:7.1f} µs to sequence")
        print(f"  inclusion: {cost.inclusion:7.1f} µs to prove, {cost.inclusion_checked:5.1f} µs to check", end="")
        print(f" ({cost.hashes:.0f} hashes)")
        print(f"  consistency: {cost.consistency:5.1f} µs to prove, {cost.consistency_checked:5.1f} µs to check")
    small, large = found[sizes[0]], found[sizes[-1]]
    print(f"{(large.logged + large.sequenced) / (small.logged + small.sequenced):.2f}")


async def measure(folder: Path, size: int) -> Cost:
    """Grow a tree to this size, then use it."""
    settings = Settings("http://localhost:8400", folder / "log.db", folder / "server.jwk")
    await grow(settings, size)
    world = await open_world(settings)
    logged = await timed_us(lambda: log(world), ENTRIES)
    sequenced = await timed_us(lambda: sequencer.sequence_all(world), ENTRIES)
    places = [secrets.randbelow(size) for _ in range(PROOFS)]
    total = world.log.size
    root = await head.root_at(world.store, total)
    made = [await inclusion(world, place, total) for place in places]
    asked = [await consistency(world, place + 1, total) for place in places]
    checked, continued = [], []
    for place, (proof, _) in zip(places, made, strict=True):
        start = time.perf_counter()
        tree.check_inclusion(tree.leaf_hash(leaf(place)), place, total, proof, root)
        checked.append(time.perf_counter() - start)
    for place, (proof, _) in zip(places, asked, strict=True):
        old = await head.root_at(world.store, place + 1)
        start = time.perf_counter()
        tree.check_consistency(place + 1, old, total, root, proof)
        continued.append(time.perf_counter() - start)
    await world.store.close()
    medians = [
        statistics.median(times) * 1e6 for times in ([t for _, t in made], checked, [t for _, t in asked], continued)
    ]
    return Cost(logged, sequenced, *medians, statistics.median(len(proof) for proof, _ in made))


async def grow(settings: Settings, size: int) -> None:
    """Build the tree's tiles, leaf by leaf, and a head over them."""
    store = await SqliteStore.open(settings.database)
    edge: dict[int, bytes] = {}
    for first in range(0, size, BATCH):
        hashes = [tree.leaf_hash(leaf(place)) for place in range(first, min(first + BATCH, size))]
        made = tiles.append(edge, first, hashes)
        await store.change([Write("keep_tile", (*at, octets)) for at, octets in made.items()], ())
    opened = await head.open_head(settings, store)
    root = tiles.root_of_edge(edge)
    await store.change([Write("move_log_head", (0, size, root, opened.sign(size, root), 0))], ())
    await store.close()


def leaf(place: int) -> bytes:
    """Give the leaf that stands at this place."""
    return place.to_bytes(tree.HASH_OCTETS, "big")


async def log(world: World) -> None:
    """Log entries, 32 changes at a time, as that many callers would."""
    left = [Entry(Kind.SHOWN, 0, "account", "request", {"display": "d" * 43}) for _ in range(ENTRIES)]

    async def caller() -> None:
        while left:
            await world.store.change((), [left.pop()])

    await asyncio.gather(*(caller() for _ in range(32)))


async def inclusion(world: World, place: int, size: int) -> tuple[list[bytes], float]:
    """Make one proof from the tiles on its way; give it with the seconds that it took."""
    start = time.perf_counter()
    held = {tile: await head.octets(world.store, tile) for tile in tiles.on_the_way(place, size)}
    proof = tree.inclusion(tiles.reader(held.__getitem__, size), place, size)
    return proof, time.perf_counter() - start


async def consistency(world: World, old: int, size: int) -> tuple[list[bytes], float]:
    """Make one proof from the tiles on the way to the old tree's last leaf; give it with its seconds."""
    start = time.perf_counter()
    held = {tile: await head.octets(world.store, tile) for tile in tiles.on_the_way(old - 1, size)}
    proof = tree.consistency(tiles.reader(held.__getitem__, size), old, size)
    return proof, time.perf_counter() - start


async def timed_us(work: Callable[[], Awaitable[None]], count: int) -> float:
    """Give the microseconds of each of `count` things that `work` does."""
    start = time.perf_counter()
    await work()
    return (time.perf_counter() - start) / count * 1e6


if __name__ == "__main__":
    asyncio.run(main(tuple(int(size) for size in sys.argv[1:]) or SIZES))
