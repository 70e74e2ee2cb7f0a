from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneact.errors import Reason
from oneact.log import replay, tree
from oneact.log.checkpoint import Checkpoint
from oneact.log.entry import Entry, Kind, commitment
from oneact.log.replay import Record
from oneact.protocol import base64url
from tests.log.trees import mth
from tests.protocol.refusing import expect_refusal


def record(number: int, leaf: int | None = None, what: str = "") -> Record:
    entry, salt = Entry(Kind.ASKED, number, "account", "request", {"what": what}), number.to_bytes(16, "big")
    return Record(number if leaf is None else leaf, commitment(entry, salt), entry, salt)


def point(records: list[Record]) -> Checkpoint:
    held = [base64url.decode(found.commitment) for found in records]
    return Checkpoint("log.example", len(held), mth(held) if held else tree.EMPTY_ROOT)


LOG = [record(number) for number in range(700)]
LATEST, EARLIER = point(LOG), point(LOG[:300])


def test_a_log_is_that_of_its_checkpoints() -> None:
    found = replay.check(iter(LOG), LATEST, [EARLIER, point(LOG[:256]), point([])])
    assert (found.size, found.waiting, found.erased) == (700, 0, 0)


@given(st.integers(0, 300), st.data())
def test_the_root_at_any_size_is_the_trees(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, size))
    replaying = replay.Replay({old})
    for found in LOG[:size]:
        replaying.add(found)
    roots = replaying.finish().roots
    assert (roots[old], roots[size]) == (point(LOG[:old]).root, point(LOG[:size]).root)


def test_entries_that_have_no_place_yet_are_counted_and_checked() -> None:
    waiting = record(7)._replace(leaf=None)
    assert replay.check([*LOG, waiting], LATEST).waiting == 1
    with expect_refusal(Reason.LOG_COMMITMENT):
        replay.check([*LOG, waiting._replace(commitment="x" * 43)], LATEST)
    with expect_refusal(Reason.LOG_ROOT):
        replay.check([*LOG[:-1], waiting, LOG[-1]], LATEST)


def test_an_erased_entry_leaves_its_commitment_in_place() -> None:
    erased = LOG[5]._replace(entry=None, salt=None)
    assert replay.check([*LOG[:5], erased, *LOG[6:]], LATEST).erased == 1
    for half in (LOG[5]._replace(entry=None), LOG[5]._replace(salt=None)):
        with expect_refusal(Reason.LOG_COMMITMENT):
            replay.check([*LOG[:5], half, *LOG[6:]], LATEST)


def placed(records: list[Record]) -> list[Record]:
    """Give the records new places, one after another, as whoever tampers would."""
    return [found._replace(leaf=index) for index, found in enumerate(records)]


OTHER = record(5, what="other")
TAMPERED: dict[str, tuple[list[Record], Reason]] = {
    "content changed": (
        [*LOG[:5], OTHER._replace(commitment=LOG[5].commitment), *LOG[6:]],
        Reason.LOG_COMMITMENT,
    ),
    "salt changed": ([*LOG[:5], LOG[5]._replace(salt=bytes(16)), *LOG[6:]], Reason.LOG_COMMITMENT),
    "commitment of no hash": ([LOG[0]._replace(commitment="!", entry=None, salt=None)], Reason.LOG_COMMITMENT),
    "content and commitment changed": ([*LOG[:5], OTHER, *LOG[6:]], Reason.LOG_ROOT),
    "deleted": ([*LOG[:5], *LOG[6:]], Reason.LOG_ROOT),
    "deleted and closed": (placed([*LOG[:5], *LOG[6:]]), Reason.LOG_ROOT),
    "inserted": (placed([*LOG[:5], OTHER, *LOG[5:]]), Reason.LOG_ROOT),
    "reordered": (placed([*LOG[:5], LOG[6], LOG[5], *LOG[7:]]), Reason.LOG_ROOT),
    "doubled": ([*LOG[:6], LOG[5], *LOG[6:]], Reason.LOG_ROOT),
    "appended": ([*LOG, record(700)], Reason.LOG_ROOT),
    "cut off": (LOG[:-1], Reason.LOG_ROOT),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_every_way_to_tamper_with_entries_is_found(name: str) -> None:
    records, reason = TAMPERED[name]
    with expect_refusal(reason):
        replay.check(records, LATEST)


def test_a_log_rewritten_by_whoever_holds_its_key_is_no_longer_the_one_that_was_checkpointed() -> None:
    rewritten = [*LOG[:5], OTHER, *LOG[6:]]
    assert replay.check(rewritten, point(rewritten)).size == 700  # by itself nothing is wrong with it
    with expect_refusal(Reason.LOG_CONSISTENCY):
        replay.check(rewritten, point(rewritten), [EARLIER])


def test_a_log_rolled_back_is_shorter_than_what_was_checkpointed() -> None:
    assert replay.check(LOG[:200], point(LOG[:200])).size == 200
    with expect_refusal(Reason.LOG_CONSISTENCY):
        replay.check(LOG[:200], point(LOG[:200]), [EARLIER])
