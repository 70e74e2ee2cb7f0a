"""A database as it stands at one moment, for commands that only look: read-only, in one transaction."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from oneact.errors import Reason, Refusal
from oneact.store import statements

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from oneact.store.contract import Row, Value


class Snapshot:
    """One moment of a database, used as a context; whatever is written meanwhile is not seen."""

    def __init__(self, path: Path) -> None:
        """Open the file; refuses `store_unavailable` where it is none."""
        self._statements = {name: statements.for_sqlite(text) for name, text in statements.load().items()}
        try:
            self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("BEGIN")
        except sqlite3.Error as error:
            raise Refusal(Reason.STORE_UNAVAILABLE, f"{path}: {error}") from error

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Let go of the file."""
        self._connection.close()

    def rows(self, statement: str, *parameters: Value) -> Iterator[Row]:
        """Give rows one after another; refuses `store_unavailable` for a database of another kind."""
        try:
            for row in self._connection.execute(self._statements[statement], parameters):
                yield dict(row)
        except sqlite3.Error as error:
            raise Refusal(Reason.STORE_UNAVAILABLE, str(error)) from error

    def one(self, statement: str, *parameters: Value) -> Row | None:
        """Give the first row, or None."""
        return next(self.rows(statement, *parameters), None)
