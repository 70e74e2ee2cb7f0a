"""The log's head: what this process signs checkpoints with, and the last one that it has shown to anyone.

A checkpoint is shown only after the tree that it speaks of is durable, and after it stands in a file of its own. At the
start the database has to hold the tree of that file: a database that was rolled back is refused, not signed for.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oneact import keyfile
from oneact.errors import Reason, Refusal
from oneact.log import checkpoint, tiles, tree
from oneact.log.checkpoint import Checkpoint, Verifier
from oneact.server import addresses

if TYPE_CHECKING:
    from pathlib import Path

    from oneact.log.tiles import Tile
    from oneact.protocol.jwk import SigningKey
    from oneact.server.settings import Settings
    from oneact.store import Store
    from oneact.store.contract import Row, Value


class Looking(Protocol):
    """What is looked at: a store, of which nothing is changed."""

    async def one(self, statement: str, *parameters: Value) -> Row | None:
        """Give the first row, or None."""
        ...

    async def all(self, statement: str, *parameters: Value) -> list[Row]:
        """Give all rows."""
        ...


@dataclass(slots=True)
class Head:
    """The log as this process knows it; `note` is the last checkpoint shown, empty while the tree is."""

    origin: str
    keys: tuple[Ed25519PrivateKey, ...]
    file: Path
    note: str = ""
    size: int = 0
    _showing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def verifiers(self) -> list[Verifier]:
        """Give the public halves, the one that signs first."""
        return [Verifier(self.origin, key.public_key()) for key in self.keys]

    def sign(self, size: int, root: bytes) -> str:
        """Give the checkpoint of a tree as a note."""
        return checkpoint.sign(Checkpoint(self.origin, size, root), *self.keys)

    async def show(self, note: str, size: int) -> None:
        """Show a checkpoint from now on, once it stands in the file; a smaller one than shown changes nothing."""
        async with self._showing:  # of two at once, the larger one stays
            if size > self.size:
                await asyncio.to_thread(_replace, self.file, note)
                self.note, self.size = note, size


def origin_of(issuer: str) -> str:
    """Give the log's name: its address without the scheme, as tlog-checkpoint has it."""
    return issuer.partition("://")[2] + addresses.LOG


async def open_head(settings: Settings, store: Store) -> Head:
    """Load the log's keys, hold database and file against each other, and show what stands.

    Refuses `log_root` where the tiles are not those of the head, `log_signature` where another key has signed, and
    `log_consistency` where the database is older than the checkpoint in the file, or another log's.
    """
    signing = await asyncio.to_thread(keyfile.load_or_create, settings.log_key_file, "EdDSA")
    head = Head(origin_of(settings.issuer), tuple(map(_edwards, signing)), settings.checkpoint_file)
    row = await store.one("log_head")
    size, root, note = (row["size"], row["root"], row["note"]) if row else (0, b"", "")
    if size:
        await _check_head(head, store, size, root, note)
    shown = await asyncio.to_thread(_read, settings.checkpoint_file)
    if shown:
        await _check_shown(head, store, shown, size)
    if size:
        await head.show(note, size)
    return head


async def edge(store: Store, size: int) -> dict[int, bytes]:
    """Give the octets of the partial tiles of a tree, by level."""
    return {tile.level: await octets(store, tile) for tile in tiles.right_edge(size)}


async def octets(store: Looking, tile: Tile) -> bytes:
    """Give a tile's octets at its width; refuses `log_root` where the database has fewer."""
    row = await store.one("tile", tile.level, tile.number)
    found: bytes = row["hashes"][: tile.width * tree.HASH_OCTETS] if row else b""
    if len(found) != tile.width * tree.HASH_OCTETS:
        raise Refusal(Reason.LOG_ROOT, f"tile {tile.path()} is not whole")
    return found


async def _check_head(head: Head, store: Store, size: int, root: bytes, note: str) -> None:
    if tiles.root_of_edge(await edge(store, size)) != root:
        raise Refusal(Reason.LOG_ROOT, "the tiles in the database are not those of its checkpoint")
    if _checked(head, note) != Checkpoint(head.origin, size, root):
        raise Refusal(Reason.LOG_ROOT, "the checkpoint in the database is not its head")


async def _check_shown(head: Head, store: Store, shown: str, size: int) -> None:
    """Refuse a database that does not begin with the tree of the checkpoint that was shown."""
    point = _checked(head, shown)
    if point.size > size or await root_at(store, point.size) != point.root:
        detail = f"the database does not hold the {point.size} entries of the checkpoint in {head.file}"
        raise Refusal(Reason.LOG_CONSISTENCY, detail)


async def root_at(store: Store, size: int) -> bytes:
    """Give the root of the tree's first `size` leaves, from its tiles: those of an older edge are their beginnings."""
    return tiles.root_of_edge(await edge(store, size))


def _checked(head: Head, note: str) -> Checkpoint:
    """Verify a checkpoint by any of the log's keys."""
    for verifier in head.verifiers()[1:]:
        try:
            return checkpoint.check(note, verifier)
        except Refusal:
            continue
    return checkpoint.check(note, head.verifiers()[0])


def _edwards(key: SigningKey) -> Ed25519PrivateKey:
    if not isinstance(key.key, Ed25519PrivateKey):
        raise Refusal(Reason.KEY_MALFORMED, "the log's key is not of Ed25519")
    return key.key


def _read(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""


def _replace(file: Path, note: str) -> None:
    """Write the file whole and durably: at any moment it is the old one or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8") as opened:
        opened.write(note)
        opened.flush()
        os.fsync(opened.fileno())
    beside.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
