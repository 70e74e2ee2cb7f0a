from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneact.errors import Reason
from oneact.log import tiles, tree
from oneact.log.tiles import ENTRIES, Tile
from tests.log.trees import leaves, mth
from tests.protocol.refusing import expect_refusal
from tests.rounds import rounds


class Held:
    """A tree that grows by appending, its tiles kept as a server keeps them."""

    def __init__(self) -> None:
        self.size = 0
        self.edge: dict[int, bytes] = {}
        self.tiles: dict[tuple[int, int], bytes] = {}

    def append(self, data: list[bytes]) -> None:
        self.tiles |= tiles.append(self.edge, self.size, [tree.leaf_hash(leaf) for leaf in data])
        self.size += len(data)

    def tile(self, wanted: Tile) -> bytes:
        return self.tiles[wanted.level, wanted.number][: wanted.width * 32]


@settings(max_examples=rounds(25, 500), deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=6), st.data())
def test_a_tree_grown_in_any_steps_is_the_same_tree(steps: list[int], data: st.DataObject) -> None:
    held, everything = Held(), leaves(sum(steps))
    for step in steps:
        held.append(everything[held.size : held.size + step])
        assert tiles.root_of_edge(held.edge) == tree.root(tiles.reader(held.tile, held.size), held.size)
    assert tiles.root_of_edge(held.edge) == mth(everything)
    old = data.draw(st.integers(1, held.size))
    index = data.draw(st.integers(0, old - 1))
    read = tiles.reader(held.tile, held.size)
    earlier = tiles.reader(held.tile, old)  # an older tree stands in the same tiles
    assert tree.root(earlier, old) == mth(everything[:old])
    proof = tree.inclusion(earlier, index, old)
    tree.check_inclusion(tree.leaf_hash(everything[index]), index, old, proof, mth(everything[:old]))
    tree.check_consistency(
        old, mth(everything[:old]), held.size, mth(everything), tree.consistency(read, old, held.size)
    )


@settings(max_examples=rounds(50, 1000), deadline=None)
@given(st.sampled_from([1, 5, 256, 257, 512, 65_536, 70_000]), st.data())
def test_a_path_is_read_from_the_tiles_on_its_way_alone(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    made = tiles.append({}, 0, [tree.leaf_hash(b"%d" % number) for number in range(size)])
    few = {tile: made[tile.level, tile.number][: tile.width * 32] for tile in tiles.on_the_way(index, size)}
    read = tiles.reader(few.__getitem__, size)  # which has no others
    every = tiles.reader(lambda tile: made[tile.level, tile.number][: tile.width * 32], size)
    proof = tree.inclusion(read, index, size)
    assert proof == tree.inclusion(every, index, size)
    tree.check_inclusion(tree.leaf_hash(b"%d" % index), index, size, proof, tree.root(every, size))


def test_the_tiles_of_seventy_thousand_leaves_are_those_that_the_standard_counts() -> None:
    edge: dict[int, bytes] = {}
    made = tiles.append(edge, 0, [bytes(32)] * 70_000)
    full = {level: [at for at, octets in made.items() if at[0] == level and len(octets) == 8192] for level in range(3)}
    assert [len(full[level]) for level in range(3)] == [273, 1, 0]
    assert tiles.right_edge(70_000) == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert tiles.right_edge(256) == [Tile(1, 0, 1)]
    assert {level: len(octets) // 32 for level, octets in edge.items() if octets} == {0: 112, 1: 17, 2: 1}


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "0/000"),
        (Tile(1, 1234067), "1/x001/x234/067"),
        (Tile(0, 273, 112), "0/273.p/112"),
        (Tile(ENTRIES, 1000, 1), "entries/x001/000.p/1"),
    ],
)
def test_a_tile_has_one_name(tile: Tile, path: str) -> None:
    assert tile.path() == path
    assert tiles.parse_path(path) == tile


@pytest.mark.parametrize(
    "path",
    ["", "0", "8/000", "0/00", "0/x000/001", "0/001/002", "0/000.p/0", "0/000.p/256", "0/000.p/01", "x/000", "0/000/"],
)
def test_any_other_name_is_refused(path: str) -> None:
    with expect_refusal(Reason.LOG_MALFORMED):
        tiles.parse_path(path)


def test_a_tile_of_another_length_is_refused() -> None:
    held = Held()
    held.append(leaves(5))
    for octets in (b"", held.tiles[0, 0][:-1], held.tiles[0, 0] + b"x"):
        with expect_refusal(Reason.LOG_MALFORMED):
            tree.root(tiles.reader(lambda _, octets=octets: octets, 5), 5)
    with expect_refusal(Reason.LOG_MALFORMED):
        tiles.reader(held.tile, 5)(1, 2)


def test_a_tile_that_is_full_ends_without_a_partial_one() -> None:
    edge: dict[int, bytes] = {}
    made = tiles.append(edge, 0, [bytes(32)] * 256)
    assert {at: len(octets) for at, octets in made.items()} == {(0, 0): 8192, (1, 0): 32}


def test_an_edge_of_another_size_is_not_appended_to() -> None:
    with expect_refusal(Reason.LOG_MALFORMED):
        tiles.append({0: bytes(32)}, 2, [bytes(32)])


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_a_bundle_is_read_back(entries: list[bytes]) -> None:
    assert tiles.parse_bundle(tiles.bundle(entries)) == entries
    assert tiles.hashed(entries) == b"".join(tree.leaf_hash(entry) for entry in entries)


@pytest.mark.parametrize("octets", [b"\x00", b"\x00\x02a", b"\x00\x00\x00"])
def test_a_bundle_that_ends_early_is_refused(octets: bytes) -> None:
    with expect_refusal(Reason.LOG_MALFORMED):
        tiles.parse_bundle(octets)


def test_an_empty_tree_has_no_edge() -> None:
    assert tiles.root_of_edge({}) == tree.EMPTY_ROOT
    assert tiles.widest(0, 1, 256) == 0
    assert tiles.widest(0, 0, 256) == 256
    assert tiles.widest(ENTRIES, 1, 300) == 44
