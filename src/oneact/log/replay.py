"""Replaying the log: from its entries, one after another, the tree that they make up, held against checkpoints.

1. Places: the leaves are 0, 1, 2 …: a deleted or doubled entry leaves a gap.
2. Commitment: what an entry says is what was committed to; one that was erased has only its commitment.
3. Root: the entries make up the tree of the log's checkpoint: an inserted, changed or reordered one does not.
4. Consistency: the tree begins with that of every older checkpoint that somebody kept: a log that was rewritten or
   rolled back does not, even if whoever did it holds the log's key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.log import tiles, tree
from oneact.log.entry import Entry, commitment
from oneact.log.tree import leaf_hash
from oneact.protocol import base64url

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from oneact.log.checkpoint import Checkpoint


class Record(NamedTuple):
    """One entry as a database or an export holds it; `entry` and `salt` are None where it was erased.

    `leaf` is its place in the tree, None where the sequencer has not come to it.
    """

    leaf: int | None
    commitment: str
    entry: Entry | None
    salt: bytes | None


class Replayed(NamedTuple):
    """What a replay found: how many leaves and how many entries without a place, and the roots at the sizes asked."""

    size: int
    waiting: int
    erased: int
    roots: dict[int, bytes]


def check_record(record: Record) -> None:
    """Refuse `log_commitment` where an entry is not what was committed to."""
    if record.entry is None or record.salt is None:
        if record.entry is not None or record.salt is not None:
            raise Refusal(Reason.LOG_COMMITMENT, f"leaf {record.leaf}: content or salt alone is gone")
    elif commitment(record.entry, record.salt) != record.commitment:
        raise Refusal(Reason.LOG_COMMITMENT, f"leaf {record.leaf} ({record.entry.kind}) does not fit its commitment")


def replay(records: Iterable[Record], sizes: Collection[int]) -> Replayed:
    """Work out the tree of the records, which come in the order of their places, those without one last.

    Gives the roots at those of `sizes` that the tree reaches. Refuses `log_root` for a gap and `log_commitment`.
    """
    edge: dict[int, bytes] = {}
    roots = {0: tree.EMPTY_ROOT} if 0 in sizes else {}
    size = waiting = erased = 0
    gathered: list[bytes] = []
    for record in records:
        check_record(record)
        erased += record.entry is None
        if record.leaf is None:
            waiting += 1
            continue
        if record.leaf != size + len(gathered) or waiting:
            raise Refusal(Reason.LOG_ROOT, f"leaf {size + len(gathered)} is missing, or not in its place")
        gathered.append(leaf_hash(base64url.decode(record.commitment, Reason.LOG_COMMITMENT)))
        if len(gathered) == tiles.WIDTH or size + len(gathered) in sizes:
            tiles.append(edge, size, gathered)
            size += len(gathered)
            gathered = []
            if size in sizes:
                roots[size] = tiles.root_of_edge(edge)
    tiles.append(edge, size, gathered)
    return Replayed(size + len(gathered), waiting, erased, roots)


def check(records: Iterable[Record], latest: Checkpoint, older: Sequence[Checkpoint] = ()) -> Replayed:
    """Hold a log's records against its latest checkpoint and older ones, all of them verified before.

    Refuses `log_commitment`, `log_root`, and `log_consistency` where it does not begin with an older checkpoint's tree.
    """
    found = replay(records, {latest.size, *(point.size for point in older)})
    for point in older:
        if found.roots.get(point.size) != point.root:
            raise Refusal(Reason.LOG_CONSISTENCY, f"not the log whose first {point.size} entries were checkpointed")
    if found.size != latest.size or found.roots[latest.size] != latest.root:
        raise Refusal(Reason.LOG_ROOT, f"{found.size} entries; the checkpoint speaks of {latest.size}, or of others")
    return found
