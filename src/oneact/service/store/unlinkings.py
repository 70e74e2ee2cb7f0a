"""Waits for an unlinking without a passkey: each change one conditional statement, with its entry in the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from oneact.service import journal
from oneact.service.store import journalling
from oneact.service.store.contract import Unlinking

if TYPE_CHECKING:
    import sqlite3

_COLUMNS: Final = "account, asked_at, told_at"
_START: Final = """
INSERT INTO unlinkings (account, asked_at, notice_at)
SELECT ?1, ?2, ?2 WHERE EXISTS (SELECT 1 FROM links WHERE account = ?1)
ON CONFLICT (account) DO UPDATE SET asked_at = ?2, told_at = NULL, notice_at = ?2, cancelled_at = NULL
WHERE cancelled_at <= ?3 OR (cancelled_at IS NULL AND told_at <= ?4)
"""
_FIND: Final = f"SELECT {_COLUMNS} FROM unlinkings WHERE account = ?1 AND cancelled_at IS NULL"  # noqa: S608 - no value in it
_CLAIM: Final = """
UPDATE unlinkings SET notice_at = ?3
WHERE cancelled_at IS NULL AND notice_at <= ?1 AND (told_at IS NULL OR told_at > ?2)
RETURNING account
"""
_TOLD: Final = """
UPDATE unlinkings SET told_at = COALESCE(told_at, ?2), notice_at = ?3 WHERE account = ?1 AND cancelled_at IS NULL
"""
_CANCEL: Final = "UPDATE unlinkings SET cancelled_at = ?2 WHERE account = ?1 AND cancelled_at IS NULL"
_FINISH: Final = """
DELETE FROM unlinkings WHERE account = ?1 AND cancelled_at IS NULL AND told_at <= ?2 AND told_at > ?3
"""
_FORGET: Final = "DELETE FROM unlinkings WHERE account = ?1"
_UNLINK_ALL: Final = "DELETE FROM links WHERE account = ?1 RETURNING roster"
ALL: Final = "SELECT * FROM unlinkings ORDER BY account"


def start(connection: sqlite3.Connection, account: str, now: int, cancelled: int, expired: int) -> bool:
    """Begin a wait, unless one runs or one was cancelled after second `cancelled`."""
    if connection.execute(_START, (account, now, cancelled, expired)).rowcount != 1:
        return False
    journalling.append(connection, journal.unlink_started(account, now, journalling.salt()))
    return True


def find(connection: sqlite3.Connection, account: str) -> Unlinking | None:
    """Give the wait of an account that nobody has cancelled."""
    row = connection.execute(_FIND, (account,)).fetchone()
    return Unlinking(**dict(row)) if row else None


def claim(connection: sqlite3.Connection, now: int, expired: int, until: int) -> list[str]:
    """Give the accounts that are to be told, and make them due again at `until` for everyone else."""
    return [row["account"] for row in connection.execute(_CLAIM, (now, expired, until)).fetchall()]


def told(connection: sqlite3.Connection, account: str, now: int, again: int) -> None:
    """Record that the notice went out; the wait counts from the first."""
    connection.execute(_TOLD, (account, now, again))


def cancel(connection: sqlite3.Connection, account: str, by: str, now: int) -> bool:
    """End a wait; its row stays, so that the next cannot begin at once."""
    if connection.execute(_CANCEL, (account, now)).rowcount != 1:
        return False
    journalling.append(connection, journal.unlink_cancelled(account, by, now, journalling.salt()))
    return True


def finish(connection: sqlite3.Connection, account: str, told_by: int, expired: int) -> list[Any]:
    """Delete every link of an account whose notice was given at `told_by` or before; give the rows of their rosters."""
    if connection.execute(_FINISH, (account, told_by, expired)).rowcount != 1:
        return []
    return connection.execute(_UNLINK_ALL, (account,)).fetchall()


def forget(connection: sqlite3.Connection, account: str) -> None:
    """Delete what there is of a wait: the account has no link any more."""
    connection.execute(_FORGET, (account,))
