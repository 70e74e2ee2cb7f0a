"""Held submissions in the service's SQLite file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeVar

from oneact.errors import Reason, Refusal
from oneact.service.store import holding
from oneact.service.store.holding import KEPT, Held

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from oneact.service.store.holding import End

_T = TypeVar("_T")

_FORGET: Final = "DELETE FROM held WHERE until <= ?1"
_LAPSE: Final = "UPDATE held SET state = 'expired', submission = '', octets = 0 WHERE state = 'held' AND expires <= ?1"
_STANDING: Final = "SELECT * FROM held WHERE session = ?1 AND account = ?2 AND same = ?3 AND state = 'held'"
_COUNT: Final = "SELECT count(*), count(CASE WHEN account = ?1 THEN 1 END) FROM held WHERE state = 'held'"
_OCTETS: Final = "SELECT coalesce(sum(octets), 0), coalesce(sum(CASE WHEN account = ?1 THEN octets END), 0) FROM held"
_HOLD: Final = """
INSERT INTO held (id, session, account, same, submission, question, created, expires, until, octets)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
"""
_FIND: Final = "SELECT * FROM held WHERE id = ?1"
_DONE: Final = """
SELECT * FROM held WHERE session = ?1 AND account = ?2 AND same = ?3 AND state = 'done' AND until > ?4
ORDER BY created DESC LIMIT 1
"""
_ASKED: Final = "UPDATE held SET asked = ?2, page = ?3 WHERE id = ?1 AND state = 'held'"
_DELIVERED: Final = "UPDATE held SET said = ?2 WHERE id = ?1 AND state = 'done'"
_END: Final = """
UPDATE held SET state = ?2, said = ?3, headers = ?4, submission = CASE WHEN ?2 = 'done' THEN submission ELSE '' END,
    octets = CASE WHEN ?2 = 'done' THEN octets ELSE 0 END
WHERE id = ?1 AND state = 'held'
"""


class HoldingRows:
    """The part of the SQLite store that holds submissions."""

    async def hold(self, held: Held, account: int, total: int) -> Held:
        """Hold a new submission, or give the one that stands."""
        row = await self._run(lambda: self._hold(held, account, total))
        return held if row is None else holding.read(row)

    async def find_held(self, identifier: str) -> Held | None:
        """Give a submission."""
        rows = await self._run(lambda: self._rows(_FIND, (identifier,)))
        return holding.read(rows[0]) if rows else None

    async def done_before(self, held: Held) -> Held | None:
        """Give the last one of the same that was executed."""
        key = held.session, held.account, held.same, held.created
        rows = await self._run(lambda: self._rows(_DONE, key))
        return holding.read(rows[0]) if rows else None

    async def asked(self, identifier: str, request: str, page: str) -> None:
        """Record where a submission has been asked for."""
        await self._run(lambda: self._change(_ASKED, (identifier, request, page)))

    async def told_held(self, identifier: str) -> None:
        """Record that the outcome of an executed one has reached who submitted it."""
        await self._run(lambda: self._change(_DELIVERED, (identifier, holding.DELIVERED)))

    async def end_held(self, held: Held, state: End, said: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Record the end of a submission that is held."""
        row = held.id, state, said, json.dumps(headers, ensure_ascii=False)
        await self._run(lambda: self._change(_END, row))

    def _hold(self, held: Held, account: int, total: int) -> dict[str, Any] | None:
        key = held.session, held.account, held.same
        with self._transaction() as connection:
            connection.execute(_FORGET, (held.created,))
            connection.execute(_LAPSE, (held.created,))
            standing = connection.execute(_STANDING, key).fetchone()
            if standing is not None:
                return dict(standing)
            in_all, of_account = connection.execute(_COUNT, (held.account,)).fetchone()
            if in_all >= total or of_account >= account:
                raise Refusal(Reason.RATE_LIMITED, f"{of_account} of the account and {in_all} in all are held")
            submission = "" if held.submission is None else held.submission.text()
            octets = len(submission.encode("utf-8", "surrogatepass"))
            _check_room(octets, *connection.execute(_OCTETS, (held.account,)).fetchone())
            question, until = holding.written(held.question), held.expires + KEPT
            row = held.id, *key, submission, question, held.created, held.expires, until, octets
            connection.execute(_HOLD, row)
        return None

    async def _run(self, work: Callable[[], _T]) -> _T:
        raise NotImplementedError

    def _rows(self, statement: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
        raise NotImplementedError

    def _change(self, statement: str, parameters: tuple[Any, ...]) -> int:
        raise NotImplementedError

    def _transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError


def _check_room(octets: int, in_all: int, of_account: int) -> None:
    if in_all + octets > holding.OCTETS_IN_ALL or of_account + octets > holding.OCTETS_OF_ACCOUNT:
        raise Refusal(Reason.RATE_LIMITED, f"{of_account} octets of the account and {in_all} in all are kept")
