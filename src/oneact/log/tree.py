"""The Merkle tree over the log's leaves (RFC 9162 section 2.1): roots, proofs of inclusion and of consistency.

Nothing here holds a tree. A `Reader` gives the hash of any complete subtree, `read(level, index)` being the root over
the leaves `[index * 2**level, (index + 1) * 2**level)`; where it comes from (tiles, a database, a list) is its affair.
Hashes are 32 octets, sizes and indices count leaves from 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from oneact.errors import Reason, Refusal

Reader: TypeAlias = Callable[[int, int], bytes]

HASH_OCTETS: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Give the hash of one leaf (section 2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give the hash of an inner node (section 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(read: Reader, size: int) -> bytes:
    """Give the root over the first `size` leaves."""
    return join([read(level, index) for level, index in _complete(0, size)])


def join(hashes: Sequence[bytes]) -> bytes:
    """Give the root over subtrees of falling size, joined from the right."""
    if not hashes:
        return EMPTY_ROOT
    found = hashes[-1]
    for left in reversed(hashes[:-1]):
        found = node_hash(left, found)
    return found


def inclusion(read: Reader, index: int, size: int) -> list[bytes]:
    """Give the audit path of the leaf `index` in the tree of `size` leaves (section 2.1.3.1)."""
    if not 0 <= index < size:
        raise Refusal(Reason.LOG_MALFORMED, f"leaf {index} is not in a tree of {size}")
    return [_range_root(read, start, end) for start, end in reversed(_beside(index, size))]


def consistency(read: Reader, old: int, new: int) -> list[bytes]:
    """Give the proof that the tree of `new` leaves begins with that of `old` (section 2.1.4.1); empty if `old` is 0."""
    if not 0 <= old <= new:
        raise Refusal(Reason.LOG_MALFORMED, f"{old} leaves are no beginning of {new}")
    if old in {0, new}:
        return []
    start, end, whole, path = 0, new, True, []
    while old < end:
        split = start + _split(end - start)
        if old <= split:
            path.append((split, end))
            end = split
        else:
            path.append((start, split))
            start, whole = split, False
    ranges = [*path[::-1]] if whole else [(start, end), *path[::-1]]
    return [_range_root(read, low, high) for low, high in ranges]


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> None:
    """Refuse `log_inclusion` unless the leaf hash stands at `index` under that root (section 2.1.3.2)."""
    if not 0 <= index < size or len(leaf) != HASH_OCTETS:
        raise Refusal(Reason.LOG_INCLUSION, f"leaf {index} is not in a tree of {size}, or no hash")
    at, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise Refusal(Reason.LOG_INCLUSION, "the proof is too long")
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    if last or found != expected:
        raise Refusal(Reason.LOG_INCLUSION, "the proof leads to another root")


def check_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Refuse `log_consistency` unless the new tree begins with the old one (section 2.1.4.2)."""
    if not 0 <= old <= new or (old in {0, new} and proof) or (0 < old < new and not proof):
        raise Refusal(Reason.LOG_CONSISTENCY, f"no such proof leads from {old} to {new}")
    if old in {0, new}:  # the empty tree is the beginning of every tree
        if (old == 0 and old_root != EMPTY_ROOT) or (old == new and old_root != new_root):
            raise Refusal(Reason.LOG_CONSISTENCY, f"two roots at size {old}")
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise Refusal(Reason.LOG_CONSISTENCY, "the proof is too long")
        if at & 1 or at == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        at, last = at >> 1, last >> 1
    if last or first != old_root or second != new_root:
        raise Refusal(Reason.LOG_CONSISTENCY, "the proof leads to other roots")


def _split(size: int) -> int:
    """Give the largest power of two smaller than `size` (section 2.1.1)."""
    return 1 << (size - 1).bit_length() - 1


def _beside(index: int, size: int) -> list[tuple[int, int]]:
    """Give the ranges beside the way from the root down to a leaf, the widest first."""
    start, end, found = 0, size, []
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            found.append((split, end))
            end = split
        else:
            found.append((start, split))
            start = split
    return found


def _range_root(read: Reader, start: int, end: int) -> bytes:
    return join([read(level, index) for level, index in _complete(start, end)])


def _complete(start: int, end: int) -> list[tuple[int, int]]:
    """Give the complete subtrees, from left to right, that make up a range which a split of the tree has given."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found
