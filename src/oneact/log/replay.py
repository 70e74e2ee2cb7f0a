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


class Replay:
    """A tree in the making: `add` the records in the order of their places, those without one last, then `finish`."""

    def __init__(self, sizes: Collection[int] = ()) -> None:
        """Begin with nothing; `sizes` are those at which the root is wanted."""
        self._sizes = frozenset(sizes)
        self._edge: dict[int, bytes] = {}
        self._gathered: list[bytes] = []
        self._size = self._waiting = self._erased = 0
        self._roots = {0: tree.EMPTY_ROOT}

    def add(self, record: Record) -> None:
        """Check one record and take it in; refuses `log_root` for a gap, and `log_commitment`."""
        check_record(record)
        self._erased += record.entry is None
        if record.leaf is None:
            self._waiting += 1
            return
        size = self._size + len(self._gathered)
        if record.leaf != size or self._waiting:
            raise Refusal(Reason.LOG_ROOT, f"leaf {size} is missing, or not in its place")
        self._gathered.append(leaf_hash(base64url.decode(record.commitment, Reason.LOG_COMMITMENT)))
        if len(self._gathered) == tiles.WIDTH or size + 1 in self._sizes:
            self._take_in()

    def finish(self) -> Replayed:
        """Give what was found, with the roots at those sizes that were reached, the last one among them."""
        self._take_in()
        return Replayed(self._size, self._waiting, self._erased, self._roots)

    def _take_in(self) -> None:
        tiles.append(self._edge, self._size, self._gathered)
        self._size += len(self._gathered)
        self._gathered = []
        self._roots[self._size] = tiles.root_of_edge(self._edge)


def judge(found: Replayed, latest: Checkpoint, older: Sequence[Checkpoint] = ()) -> None:
    """Hold a replayed log against its latest checkpoint and older ones, all of them verified before.

    The replay has to have been told of their sizes. Refuses `log_consistency` where the log does not begin with the
    tree of an older checkpoint, and `log_root` where its entries are not those of the latest.
    """
    for point in older:
        if found.roots.get(point.size) != point.root:
            raise Refusal(Reason.LOG_CONSISTENCY, f"not the log whose first {point.size} entries were checkpointed")
    if found.size != latest.size or found.roots[latest.size] != latest.root:
        raise Refusal(Reason.LOG_ROOT, f"{found.size} entries; the checkpoint speaks of {latest.size}, or of others")


def check(records: Iterable[Record], latest: Checkpoint, older: Sequence[Checkpoint] = ()) -> Replayed:
    """Replay records and judge what they make up; refuses `log_commitment`, `log_root`, `log_consistency`."""
    replay = Replay({point.size for point in older})
    for record in records:
        replay.add(record)
    found = replay.finish()
    judge(found, latest, older)
    return found
