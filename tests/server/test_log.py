"""The log of a running server: sequenced, shown, and never contradicted."""

from __future__ import annotations

import asyncio
import base64
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from oneact.errors import Reason, Refusal
from oneact.log import checkpoint, tiles, tree
from oneact.log.entry import Entry, Kind
from oneact.server import Settings
from oneact.server.tlog import head, sequencer
from oneact.server.world import World, open_world
from tests.rounds import rounds
from tests.server.peers import RunningServer

KILLS = rounds(20, 200)


def settings(folder: Path, **changes: Any) -> Settings:
    return Settings("http://localhost:8400", folder / "server.db", folder / "server.jwk", **changes)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    found = await open_world(settings(tmp_path))
    yield found
    await found.store.close()


async def log(world: World, count: int) -> None:
    """Log so many entries, as many changes at once."""
    entries = [Entry(Kind.ASKED, number, "account", "request", {"number": number}) for number in range(count)]
    assert all(await asyncio.gather(*(world.store.change((), [entry]) for entry in entries)))


async def leaves(world: World) -> list[bytes]:
    rows = await world.store.all("leaves", 0, 1_000_000)
    assert [row["leaf"] for row in rows] == list(range(len(rows)))
    return [base64.urlsafe_b64decode(row["commitment"] + "=") for row in rows]


async def test_what_is_logged_gets_its_place_and_a_checkpoint_over_it(world: World) -> None:
    for count in (1, 300, 5000):
        await log(world, count)
        await sequencer.sequence_all(world)
    held = await leaves(world)
    assert len(held) == 5301
    point = checkpoint.check(world.log.note, world.log.verifiers()[0])
    edge: dict[int, bytes] = {}
    tiles.append(edge, 0, [tree.leaf_hash(leaf) for leaf in held])
    assert (point.origin, point.size, point.root) == ("localhost:8400/log", 5301, tiles.root_of_edge(edge))
    assert world.settings.checkpoint_file.read_text() == world.log.note
    assert await sequencer.sequence(world) == 0


async def test_of_two_sequencers_each_entry_gets_one_place(world: World) -> None:
    other = await open_world(world.settings)
    await log(world, 3000)
    while await world.store.all("entries_without_leaf", 1):
        await asyncio.gather(sequencer.sequence(world), sequencer.sequence(other))
    assert len(await leaves(world)) == 3000
    await sequencer.sequence(other)
    assert await head.root_at(world.store, 3000) == checkpoint.parse(world.settings.checkpoint_file.read_text()).root
    await other.store.close()


async def test_of_checkpoints_shown_at_once_the_largest_stays(world: World) -> None:
    notes = {size: world.log.sign(size, bytes(32)) for size in range(1, 30)}
    await asyncio.gather(*(world.log.show(notes[size], size) for size in (29, *range(1, 29))))
    assert world.log.size == 29
    assert world.settings.checkpoint_file.read_text() == world.log.note == notes[29]
    world.settings.checkpoint_file.unlink()


async def reopened(world: World) -> World:
    await world.store.close()
    return await open_world(world.settings)


async def test_a_server_shows_at_its_start_what_it_showed_before(world: World) -> None:
    await log(world, 10)
    await sequencer.sequence(world)
    again = await reopened(world)
    assert again.log.note == world.log.note != ""
    await again.store.close()


async def rolled_back(world: World) -> None:
    """Put an earlier copy of the database in place of a later one."""
    await log(world, 10)
    await sequencer.sequence(world)
    await world.store.close()
    shutil.copy(world.settings.database, world.settings.database.with_suffix(".old"))
    later = await open_world(world.settings)
    await log(later, 10)
    await sequencer.sequence(later)
    await later.store.close()
    shutil.copy(world.settings.database.with_suffix(".old"), world.settings.database)


async def test_a_database_that_was_rolled_back_is_not_signed_for(world: World) -> None:
    await rolled_back(world)
    with pytest.raises(Refusal) as refused:
        await open_world(world.settings)
    assert refused.value.reason is Reason.LOG_CONSISTENCY
    world.settings.checkpoint_file.unlink()  # without the file nothing on this machine could tell
    await (await open_world(world.settings)).store.close()


async def test_a_checkpoint_of_another_key_is_not_taken_for_ones_own(world: World) -> None:
    await log(world, 10)
    await sequencer.sequence(world)
    world.settings.log_key_file.unlink()
    with pytest.raises(Refusal) as refused:
        await reopened(world)
    assert refused.value.reason is Reason.LOG_SIGNATURE


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE tiles SET hashes = zeroblob(length(hashes)) WHERE level = 0",
        "DELETE FROM tiles",
        "UPDATE log_head SET root = zeroblob(32)",
        "UPDATE log_head SET size = 9",
    ],
)
async def test_a_broken_tree_is_not_appended_to(world: World, damage: str) -> None:
    await log(world, 10)
    await sequencer.sequence(world)
    await world.store.close()
    with sqlite3.connect(world.settings.database) as connection:
        connection.execute(damage)
    connection.close()
    with pytest.raises(Refusal) as refused:
        await open_world(world.settings)
    assert refused.value.reason is Reason.LOG_ROOT


async def test_two_keys_sign_while_one_follows_the_other(world: World, tmp_path: Path) -> None:
    await log(world, 10)
    await sequencer.sequence(world)
    old = world.log.verifiers()[0]
    other = await open_world(settings(tmp_path / "other"))
    fresh, stale = (found.settings.log_key_file.read_text() for found in (other, world))
    await other.store.close()
    world.settings.log_key_file.write_text(f'{{"keys":[{fresh},{stale}]}}')
    again = await reopened(world)
    await log(again, 1)
    await sequencer.sequence(again)
    for verifier in (old, other.log.verifiers()[0]):
        assert checkpoint.check(again.log.note, verifier).size == 11
    await again.store.close()


def test_the_log_is_served_in_the_layout_that_every_client_knows(server: RunningServer) -> None:
    """A client with nothing but the address and the key rebuilds the tree from entry bundles and from tiles."""
    with httpx.Client(base_url=server.url + "/log") as client:
        while (found := client.get("/checkpoint")).status_code == 404:
            assert found.json()["reason"] == "log_empty"
            time.sleep(0.05)
        assert found.headers["content-type"] == "text/plain; charset=utf-8"
        point = checkpoint.parse(found.text)
        width = point.size % 256
        bundle = client.get(f"/tile/entries/000.p/{width}")
        level = client.get(f"/tile/0/000.p/{width}")
        assert bundle.headers["content-type"] == level.headers["content-type"] == "application/octet-stream"
        assert "immutable" in level.headers["cache-control"]
        entries = tiles.parse_bundle(bundle.content)
        assert [len(entry) for entry in entries] == [32] * point.size
        assert tiles.hashed(entries) == level.content
        edge: dict[int, bytes] = {}
        tiles.append(edge, 0, [tree.leaf_hash(entry) for entry in entries])
        assert tiles.root_of_edge(edge) == point.root
        for missing in ("/tile/0/000", "/tile/0/001.p/1", f"/tile/0/000.p/{width + 1}", "/tile/9/000", "/tile/0/..%2f"):
            assert client.get(missing).status_code in {400, 404}


def test_killed_anywhere_nothing_acknowledged_is_lost_and_nothing_forks(tmp_path: Path) -> None:
    """A server that logs and sequences is killed again and again; what it showed last always stands afterwards."""
    place = settings(tmp_path)
    shown: list[checkpoint.Checkpoint] = []
    acknowledged = 0
    for round_number in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-m", "tests.server.logging_process", str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for _ in range(3 + round_number % 7):
                line = process.stdout.readline()
                assert line.endswith("\n"), "the process died by itself"
                acknowledged = int(line)
            process.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *(int(rest) for rest in process.stdout.readlines() if rest[-1:] == "\n")])
        shown.append(asyncio.run(_after(place, shown, acknowledged)))
    assert [point.size for point in shown] == sorted({point.size for point in shown})


async def _after(place: Settings, shown: list[checkpoint.Checkpoint], acknowledged: int) -> checkpoint.Checkpoint:
    """Start again after a kill: all that was acknowledged is there, and every checkpoint shown still holds."""
    found = await open_world(place)
    assert found.log.note or not shown  # only a server killed before its first checkpoint has none to hold to
    for point in [*shown, *([checkpoint.parse(found.log.note)] if found.log.note else [])]:
        assert await head.root_at(found.store, point.size) == point.root
    await sequencer.sequence_all(found)
    assert len(await leaves(found)) >= acknowledged
    await found.store.close()
    return checkpoint.check(found.log.note, found.log.verifiers()[0])
