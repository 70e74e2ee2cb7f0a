from __future__ import annotations

import hashlib

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneact.errors import Reason
from oneact.log import tree
from tests.log.trees import leaves, mth, reading
from tests.protocol.refusing import expect_refusal

SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33]


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert tree.root(reading([]), 0) == tree.EMPTY_ROOT == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", SIZES)
def test_the_root_is_that_of_the_standards_own_recursion(size: int) -> None:
    assert tree.root(reading(leaves(size)), size) == mth(leaves(size))


@pytest.mark.parametrize("size", SIZES)
def test_roots_and_proofs_are_those_of_another_implementation(size: int) -> None:
    other = pymerkle.InmemoryTree(algorithm="sha256")
    for leaf in leaves(size):
        other.append_entry(leaf)
    read = reading(leaves(size))
    assert tree.root(read, size) == other.get_root(size)
    for index in range(size):
        ours = [tree.leaf_hash(leaves(size)[index]), *tree.inclusion(read, index, size)]
        assert sorted(other.prove_inclusion(index + 1, size).path) == sorted(ours)  # theirs are in another order
    for old in range(1, size):
        proof = tree.consistency(read, old, size)
        tree.check_consistency(old, other.get_root(old), size, other.get_root(size), proof)


@given(st.integers(1, 70), st.data())
def test_a_leaf_is_proved_to_stand_at_its_place_alone(size: int, data: st.DataObject) -> None:
    index, elsewhere = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    held = leaves(size)
    proof, root = tree.inclusion(reading(held), index, size), mth(held)
    tree.check_inclusion(tree.leaf_hash(held[index]), index, size, proof, root)
    if elsewhere != index:
        with expect_refusal(Reason.LOG_INCLUSION):
            tree.check_inclusion(tree.leaf_hash(held[index]), elsewhere, size, proof, root)
    with expect_refusal(Reason.LOG_INCLUSION):
        tree.check_inclusion(tree.leaf_hash(b"another"), index, size, proof, root)
    with expect_refusal(Reason.LOG_INCLUSION):
        tree.check_inclusion(tree.leaf_hash(held[index]), index, size, [*proof, root], root)
    if proof:
        with expect_refusal(Reason.LOG_INCLUSION):
            tree.check_inclusion(tree.leaf_hash(held[index]), index, size, proof[:-1], root)


@given(st.integers(0, 70), st.data())
def test_a_tree_is_proved_to_begin_with_an_older_one(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, new))
    held = leaves(new)
    old_root = mth(held[:old]) if old else tree.EMPTY_ROOT
    new_root = mth(held) if new else tree.EMPTY_ROOT
    proof = tree.consistency(reading(held), old, new)
    tree.check_consistency(old, old_root, new, new_root, proof)
    with expect_refusal(Reason.LOG_CONSISTENCY):
        tree.check_consistency(old, b"x" * 32, new, new_root, proof)
    with expect_refusal(Reason.LOG_CONSISTENCY):
        tree.check_consistency(old, old_root, new, new_root, [*proof, new_root])
    if proof:
        with expect_refusal(Reason.LOG_CONSISTENCY):
            tree.check_consistency(old, old_root, new, b"x" * 32, proof)
        with expect_refusal(Reason.LOG_CONSISTENCY):
            tree.check_consistency(old, old_root, new, new_root, proof[:-1])
        with expect_refusal(Reason.LOG_CONSISTENCY):
            tree.check_consistency(old, old_root, new, new_root, [b"x" * 32, *proof[1:]])


@given(st.integers(2, 70), st.data())
def test_a_changed_leaf_breaks_consistency(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    held = leaves(new)
    changed = [*held]
    changed[data.draw(st.integers(0, old - 1))] = b"rewritten"
    proof = tree.consistency(reading(changed), old, new)
    with expect_refusal(Reason.LOG_CONSISTENCY):
        tree.check_consistency(old, mth(held[:old]), new, mth(changed), proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_what_is_not_in_the_tree_has_no_proof(index: int, size: int) -> None:
    with expect_refusal(Reason.LOG_MALFORMED):
        tree.inclusion(reading(leaves(size)), index, size)
    with expect_refusal(Reason.LOG_INCLUSION):
        tree.check_inclusion(b"x" * 32, index, size, [], b"x" * 32)


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3)])
def test_what_is_no_beginning_has_no_proof(old: int, new: int) -> None:
    with expect_refusal(Reason.LOG_MALFORMED):
        tree.consistency(reading(leaves(3)), old, new)
    with expect_refusal(Reason.LOG_CONSISTENCY):
        tree.check_consistency(old, b"x" * 32, new, b"x" * 32, [])


def test_an_empty_leaf_or_another_empty_tree_proves_nothing() -> None:
    with expect_refusal(Reason.LOG_INCLUSION):
        tree.check_inclusion(b"", 0, 1, [], b"")
    with expect_refusal(Reason.LOG_CONSISTENCY):
        tree.check_consistency(0, tree.EMPTY_ROOT, 0, b"x" * 32, [])
