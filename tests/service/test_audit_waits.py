"""The audit of waits for an unlinking without a passkey: what the journal tells of them, and the table beside it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.service.test_journal import LATER, PERSON, ROSTER, SALT, row

from oneact.protocol import roster
from oneact.service import journal
from oneact.service.audit import record, tables
from oneact.service.journal import Draft
from oneact.service.store.contract import Link

LINKED = journal.linked(Link("alice", ROSTER, 90), SALT)
STARTED = journal.unlink_started("alice", 100, SALT)
CANCELLED = journal.unlink_cancelled("alice", "passkey", 101, SALT)
UNLINKED = journal.unlinked("alice", ROSTER, 102, SALT)


def read(*drafts: Draft, erased: tuple[int, ...] = ()) -> record.Record:
    """Read a journal of these drafts; of those that are `erased`, by their numbers, the content is gone."""
    rows: list[tuple[Any, ...]] = []
    for number, draft in enumerate(drafts, 1):
        made = row(draft, number, rows[-1][5] if rows else None)
        rows.append((*made[:3], None if number in erased else made[3], *made[4:]))
    return record.read(rows, None)


def told(asked_at: int = 100, cancelled_at: int | None = None) -> dict[str, object]:
    return {"account": "alice", "asked_at": asked_at, "cancelled_at": cancelled_at}


@pytest.mark.parametrize(
    ("drafts", "faults"),
    [
        ((LINKED, STARTED), 0),
        ((LINKED, STARTED, CANCELLED), 0),
        ((LINKED, STARTED, UNLINKED), 0),
        ((STARTED,), 1),
        ((LINKED, CANCELLED), 1),
        ((LINKED, STARTED, CANCELLED, CANCELLED), 1),
    ],
)
def test_a_wait_follows_a_link_and_a_cancellation_a_wait(drafts: tuple[Draft, ...], faults: int) -> None:
    assert len(read(*drafts).findings) == faults


def test_what_was_erased_is_not_held_against_what_follows_it() -> None:
    assert read(LINKED, STARTED, erased=(1,)).findings == []
    assert read(LINKED, STARTED, CANCELLED, erased=(2,)).findings == []


@pytest.mark.parametrize(
    ("drafts", "rows", "faults"),
    [
        ((LINKED, STARTED), [told()], 0),
        ((LINKED, STARTED, CANCELLED), [told(cancelled_at=101)], 0),
        ((LINKED, STARTED), [], 1),
        ((LINKED, STARTED), [told(99)], 1),
        ((LINKED, STARTED), [told(cancelled_at=101)], 1),
        ((LINKED, STARTED, CANCELLED), [told()], 1),
        ((LINKED,), [told()], 1),
    ],
)
def test_the_table_of_waits_says_what_the_journal_says(
    drafts: tuple[Draft, ...], rows: list[dict[str, object]], faults: int
) -> None:
    assert len(list(tables.compare_waits(read(*drafts), rows))) == faults


def test_a_wait_whose_entry_was_erased_is_not_held_against_the_table() -> None:
    assert list(tables.compare_waits(read(LINKED, STARTED, erased=(2,)), [told()])) == []
    ended = read(LINKED, STARTED, CANCELLED, erased=(3,))
    assert list(tables.compare_waits(ended, [])) == []


def test_a_removal_whose_roster_before_is_not_known_is_held_against_itself_alone() -> None:
    text = roster.sign_removal(LATER, PERSON.key)
    pinned = journal.roster_pinned("alice", LATER, text, 103, SALT)
    assert read(LINKED, pinned, erased=(1,)).findings == []
