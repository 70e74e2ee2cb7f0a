"""How the journal is written: inside the transaction that makes the change, after the entry that stands last."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from oneact.protocol import canonical, roster
from oneact.service import journal
from oneact.service.store import statements
from oneact.service.store.contract import Holder, Link, Outcome, Spend, SpendKey

if TYPE_CHECKING:
    import sqlite3

    from oneact.service.journal import Draft

MIGRATION: Final = 2  # the one that makes the journal


def salt() -> bytes:
    """Make the salt of one content."""
    return secrets.token_bytes(journal.SALT_OCTETS)


def append(connection: sqlite3.Connection, draft: Draft) -> None:
    """Put an entry at the end; the transaction has begun as one that writes, so nobody else can come between."""
    tip = connection.execute(statements.JOURNAL_TIP).fetchone()
    seq, before = (tip[0] + 1, tip[1]) if tip else (1, None)
    hashed = journal.hash_of(draft.kind, draft.at, draft.content_digest, seq, before)
    connection.execute(statements.APPEND, (seq, draft.at, draft.kind, draft.content, draft.content_digest, hashed))


def begin(connection: sqlite3.Connection) -> None:
    """Begin the journal with what the database held before it had one; of that it knows no tokens and no proofs."""
    for row in connection.execute(statements.ALL_LINKS).fetchall():
        pinned = roster.parse(canonical.parse(row["roster"].encode()))
        append(connection, journal.linked(Link(row["account"], pinned, row["linked_at"]), salt()))
    for row in connection.execute(statements.ALL_SPENDS).fetchall():
        key = SpendKey(row["aud"], row["iss"], row["txn"])
        holder = Holder(row["sub"], row["client_id"], row["jkt"], row["act_digest"])
        spend = Spend(key, holder, row["jti"], row["account"], row["action"], row["spent_at"], row["deadline_at"])
        append(connection, journal.spent(spend, salt()))
        if row["receipt"] is not None:
            append(connection, journal.finished(key, Outcome(row["state"], row["receipt"], row["finished_at"]), salt()))
