"""Reading the whole of a service's database as it stands at one moment, without a way to change it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Reason, Refusal
from oneact.service.store import journalling, statements

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BELOW_ALL: Final = -(2**63)


class Snapshot:
    """The rows of one moment, as they stand in the file: nothing of them is believed yet."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def journal(self) -> Iterator[tuple[Any, ...]]:
        """Give the journal's rows in their order, as `journal.parse` reads them."""
        return (tuple(row) for row in self._connection.execute(statements.JOURNAL, (_BELOW_ALL, -1)))

    def spends(self) -> Iterator[dict[str, Any]]:
        """Give the table of spends, a mapping of columns for each row."""
        return (dict(row) for row in self._connection.execute(statements.ALL_SPENDS))

    def links(self) -> Iterator[dict[str, Any]]:
        """Give the table of links, a mapping of columns for each row."""
        return (dict(row) for row in self._connection.execute(statements.ALL_LINKS))

    def waiting(self) -> int:
        """Give the number of receipts that wait for their approval server, due or not."""
        count: int = self._connection.execute(statements.COUNT_DELIVERIES).fetchone()[0]
        return count


@contextmanager
def snapshot(file: Path) -> Iterator[Snapshot]:
    """Open a database to read it, also while a service writes to it.

    Refuses `store_unavailable` for what is no database of a service, or one without a journal, here or while it is
    read.
    """
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as opened:
            opened.row_factory = sqlite3.Row
            opened.execute("BEGIN")
            version: int = opened.execute("PRAGMA user_version").fetchone()[0]
            if version < journalling.MIGRATION:
                raise Refusal(Reason.STORE_UNAVAILABLE, "no journal: no service of this release has opened it")
            yield Snapshot(opened)
    except sqlite3.Error as error:
        raise Refusal(Reason.STORE_UNAVAILABLE, str(error)) from error
