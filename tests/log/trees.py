"""Trees held in a list, for tests."""

from __future__ import annotations

from oneact.log.tree import Reader, leaf_hash, node_hash


def leaves(size: int) -> list[bytes]:
    """Give so many leaves, each another."""
    return [b"leaf %d" % number for number in range(size)]


def mth(data: list[bytes]) -> bytes:
    """Give the root as RFC 9162 section 2.1.1 defines it, by its own recursion."""
    if len(data) == 1:
        return leaf_hash(data[0])
    split = 1 << (len(data) - 1).bit_length() - 1
    return node_hash(mth(data[:split]), mth(data[split:]))


def reading(data: list[bytes]) -> Reader:
    """Give the reader of a list of leaves."""
    return lambda level, index: mth(data[index << level : (index + 1) << level])
