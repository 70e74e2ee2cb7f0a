"""Tiles: the tree as files of 256 hashes, by the names and octets of C2SP's tlog-tiles.

Tile `n` of level `l` holds up to 256 hashes, each the root over `256**l` leaves; the last tile of a level may be
partial. Beside the tiles stand entry bundles, the leaves themselves: here the 32 octets of each entry's commitment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from oneact.errors import Reason, Refusal
from oneact.log import tree
from oneact.log.tree import HASH_OCTETS, Reader, leaf_hash, node_hash

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
MAX_LEVEL: Final = 7  # 2**64 leaves are more than anyone will have
ENTRIES: Final = -1  # the level under which entry bundles are named

TileSource: TypeAlias = Callable[["Tile"], bytes]
_PATH: Final = re.compile(r"(entries|[0-7])/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_GROUP: Final = 3
_PREFIX: Final = 2  # octets of an entry's length in a bundle


class Tile(NamedTuple):
    """One tile: level (`ENTRIES` for a bundle), number in the level, width in hashes (1 to 256)."""

    level: int
    number: int
    width: int = WIDTH

    def path(self) -> str:
        """Give the name under which the tile is served, from `tile/` on."""
        groups = f"{self.number:d}"
        groups = groups.zfill(-(-len(groups) // _GROUP) * _GROUP)
        parts = [groups[at : at + _GROUP] for at in range(0, len(groups), _GROUP)]
        name = "/".join([*("x" + part for part in parts[:-1]), parts[-1]])
        level = "entries" if self.level == ENTRIES else f"{self.level:d}"
        return f"{level}/{name}" + (f".p/{self.width:d}" if self.width < WIDTH else "")


def parse_path(path: str) -> Tile:
    """Read a tile's name; refuses `log_malformed` for what `Tile.path` would not give."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise Refusal(Reason.LOG_MALFORMED, "no tile has such a name")
    level = ENTRIES if found[1] == "entries" else int(found[1])
    tile = Tile(level, int(found[2].replace("x", "").replace("/", "")), int(found[3] or WIDTH))
    if tile.path() != path:
        raise Refusal(Reason.LOG_MALFORMED, "a tile's name is not in its one form")
    return tile


def widest(level: int, index: int, size: int) -> int:
    """Give how many hashes of a tile a tree of `size` leaves has, 0 if none."""
    return max(0, min(WIDTH, (size >> HEIGHT * max(level, 0)) - index * WIDTH))


def right_edge(size: int) -> list[Tile]:
    """Give the partial tiles of a tree, the lowest level first: what has to be known to append to it."""
    found = []
    for level in range(MAX_LEVEL + 1):
        index, width = divmod(size >> HEIGHT * level, WIDTH)
        if width:
            found.append(Tile(level, index, width))
    return found


def on_the_way(index: int, size: int) -> set[Tile]:
    """Give the tiles that the audit path of a leaf is read from: those it lies under, and the right edge."""
    under = [(level, index >> HEIGHT * (level + 1)) for level in range(MAX_LEVEL + 1)]
    found = [Tile(level, number, widest(level, number, size)) for level, number in under]
    return {tile for tile in found if tile.width} | set(right_edge(size))


def append(edge: dict[int, bytes], size: int, leaves: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    """Append leaf hashes to a tree of `size` leaves; give the tiles that are new or have grown, by level and index.

    `edge` holds the partial tiles of the right edge by level and is brought up to the new size.
    """
    changed: dict[tuple[int, int], bytes] = {}
    level, grown = 0, list(leaves)
    while grown:
        index, held = divmod(size >> HEIGHT * level, WIDTH)
        octets = edge.get(level, b"")
        if len(octets) != held * HASH_OCTETS:
            raise Refusal(Reason.LOG_MALFORMED, f"the edge at level {level} is not that of {size} leaves")
        octets += b"".join(grown)
        full, grown = [], []
        while len(octets) >= WIDTH * HASH_OCTETS:
            full.append(octets[: WIDTH * HASH_OCTETS])
            octets = octets[WIDTH * HASH_OCTETS :]
        for offset, tile in enumerate(full):
            changed[level, index + offset] = tile
            grown.append(_subtree(tile))
        edge[level] = octets
        if octets:
            changed[level, index + len(full)] = octets
        level += 1
    return changed


def reader(tile: TileSource, size: int) -> Reader:
    """Give a tree's reader over its tiles; `tile` gives the octets of a tile at the width that the size has.

    The tiles are remembered as long as the reader is. Refuses `log_malformed` where a tile has another length.
    """

    @lru_cache(maxsize=64)
    def fetched(level: int, index: int) -> bytes:
        wanted = Tile(level, index, widest(level, index, size))
        octets = tile(wanted)
        if len(octets) != wanted.width * HASH_OCTETS or not octets:
            raise Refusal(Reason.LOG_MALFORMED, f"tile {wanted.path()} has not its length")
        return octets

    def read(level: int, index: int) -> bytes:
        tile_level, within = divmod(level, HEIGHT)
        tile_index, at = divmod(index << within, WIDTH)
        octets = fetched(tile_level, tile_index)[at * HASH_OCTETS : (at + (1 << within)) * HASH_OCTETS]
        if len(octets) != HASH_OCTETS << within:
            raise Refusal(Reason.LOG_MALFORMED, f"a subtree of level {level} is not complete")
        return _subtree(octets)

    return read


def root_of_edge(edge: dict[int, bytes]) -> bytes:
    """Give the root of the tree whose right edge this is."""
    hashes: list[bytes] = []
    for level in sorted(edge, reverse=True):
        octets, at = edge[level], 0
        left = len(octets) // HASH_OCTETS
        while left:
            width = 1 << left.bit_length() - 1
            hashes.append(_subtree(octets[at * HASH_OCTETS : (at + width) * HASH_OCTETS]))
            at, left = at + width, left - width
    return tree.join(hashes)


def bundle(entries: Sequence[bytes]) -> bytes:
    """Give the octets of an entry bundle: each entry behind its length in two octets."""
    return b"".join([len(entry).to_bytes(_PREFIX, "big") + entry for entry in entries])


def parse_bundle(octets: bytes) -> list[bytes]:
    """Read an entry bundle; refuses `log_malformed` where a length does not fit."""
    found, at = [], 0
    while at < len(octets):
        end = at + _PREFIX + int.from_bytes(octets[at : at + _PREFIX], "big")
        if end > len(octets) or at + _PREFIX > len(octets):
            raise Refusal(Reason.LOG_MALFORMED, "an entry bundle ends within an entry")
        found.append(octets[at + _PREFIX : end])
        at = end
    return found


def hashed(entries: Sequence[bytes]) -> bytes:
    """Give the octets of the level-0 tile over the entries of a bundle."""
    return b"".join([leaf_hash(entry) for entry in entries])


def _subtree(octets: bytes) -> bytes:
    """Give the root over a power of two of hashes."""
    hashes = [octets[at : at + HASH_OCTETS] for at in range(0, len(octets), HASH_OCTETS)]
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]
