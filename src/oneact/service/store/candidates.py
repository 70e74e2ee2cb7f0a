"""Persons who would approve for an account beside those it has: nobody is one before an act has named them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.protocol import canonical, roster
from oneact.service import journal
from oneact.service.store import journalling
from oneact.service.store.contract import Link

if TYPE_CHECKING:
    import sqlite3

_FORGET: Final = "DELETE FROM candidates WHERE expires <= ?1"
_PROPOSE: Final = """
INSERT INTO candidates (iss, sub, account, code, roster, proof, expires)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
WHERE EXISTS (SELECT 1 FROM links WHERE account = ?3)
  AND NOT EXISTS (SELECT 1 FROM links WHERE iss = ?1 AND sub = ?2)
  AND (SELECT count(*) FROM candidates WHERE account = ?3) < ?8
ON CONFLICT (iss, sub) DO NOTHING
"""
_TAKE: Final = """
DELETE FROM candidates WHERE account = ?1 AND iss = ?2 AND code = ?3 AND expires > ?4 RETURNING roster, proof
"""
_ADMIT: Final = """
INSERT INTO links (iss, sub, account, roster, seq, linked_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6
WHERE (SELECT count(*) FROM links WHERE account = ?3) BETWEEN 1 AND ?7 - 1
ON CONFLICT (iss, sub) DO NOTHING
"""
_REMOVE: Final = """
DELETE FROM links
WHERE account = ?1 AND iss = ?2 AND sub = ?3 AND (SELECT count(*) FROM links WHERE account = ?1) > 1
RETURNING roster
"""


def propose(connection: sqlite3.Connection, link: Link, code: str, now: int, expires: int, most: int) -> bool:
    """Keep a person as a candidate; what is kept of them is replaced by nothing until it has expired."""
    connection.execute(_FORGET, (now,))
    found = link.roster
    texts = (canonical.encode(found.members()).decode(), canonical.encode(link.proof).decode())
    row = (found.iss, found.sub, link.account, code, *texts, expires, most)
    return connection.execute(_PROPOSE, row).rowcount == 1


def admit(connection: sqlite3.Connection, account: str, iss: str, code: str, now: int, most: int) -> bool:
    """Make the candidate of that code an approver of the account; they are a candidate no more in any case."""
    row = connection.execute(_TAKE, (account, iss, code, now)).fetchone()
    if row is None:
        return False
    found, proof = roster.parse(canonical.parse(row["roster"].encode())), canonical.parse(row["proof"].encode())
    added = (found.iss, found.sub, account, row["roster"], found.seq, now, most)
    if connection.execute(_ADMIT, added).rowcount != 1:
        return False
    link = Link(account, found, now, proof if isinstance(proof, dict) else None)
    journalling.append(connection, journal.linked(link, journalling.salt()))
    return True


def remove(connection: sqlite3.Connection, account: str, iss: str, sub: str, now: int) -> bool:
    """Take one of several approvers off an account, never the last."""
    row = connection.execute(_REMOVE, (account, iss, sub)).fetchone()
    if row is None:
        return False
    pinned = roster.parse(canonical.parse(row["roster"].encode()))
    journalling.append(connection, journal.unlinked(account, pinned, now, journalling.salt()))
    return True
