"""One manner for what owners have at hand: a DB-API connection, SQLAlchemy's session or connection, Django's.

No framework is imported for this: whose an object is, its class tells.
"""

from __future__ import annotations

import importlib
import re
import sys
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from oneact.service.store.owner import statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Values: TypeAlias = Mapping[str, str | int | None]

_VALUE: Final = re.compile(r":(\w+)")
_NONE: Final[dict[str, str | int | None]] = {}
_POSTGRESQL: Final = frozenset({"psycopg", "psycopg2", "pg8000", "postgresql"})


class Session:
    """A DB-API connection, and what the others have in common with one."""

    def __init__(self, native: Any) -> None:  # noqa: ANN401 - the owner's own
        self._native = native
        self._by_hand = False

    @property
    def is_postgresql(self) -> bool:
        """Tell whether PostgreSQL answers."""
        return self._module().__name__ in _POSTGRESQL

    def execute(self, statement: str, values: Values = _NONE) -> int:
        """Run a statement and give the number of rows that it changed."""
        return self._run(statement, values, rows=False)[0]

    def rows(self, statement: str, values: Values) -> list[tuple[Any, ...]]:
        """Run a query and give its rows."""
        return self._run(statement, values, rows=True)[1]

    def commits_each(self) -> bool:
        """Tell whether no transaction has begun and none begins with the next statement."""
        return commits_each(self._native)

    def begin(self) -> None:
        """Make sure that a transaction begins with the next statement."""
        if self.commits_each():
            self.execute("BEGIN")
            self._by_hand = True

    def end(self, *, keep: bool) -> None:
        """Commit what was begun, or roll it back."""
        if self._by_hand:
            self.execute("COMMIT" if keep else "ROLLBACK")
        elif keep:
            self._native.commit()
        else:
            self._native.rollback()

    def spoil(self) -> None:
        """Roll back the transaction of a handler, which goes on to raise."""
        self._native.rollback()

    def close(self) -> None:
        """Let go of the connection."""
        self._native.close()

    def _run(self, statement: str, values: Values, *, rows: bool) -> tuple[int, list[tuple[Any, ...]]]:
        style = self._module().paramstyle
        cursor = self._native.cursor()
        try:
            cursor.execute(*_placed(statement, values, style))
            return cursor.rowcount, [_tuple(row) for row in cursor.fetchall()] if rows else []
        finally:
            cursor.close()

    def _module(self) -> Any:  # noqa: ANN401 - a module of DB-API (PEP 249)
        for root in _roots(self._native):
            if hasattr(sys.modules.get(root), "paramstyle"):
                return sys.modules[root]
        raise TypeError(f"{type(self._native)} is no connection of DB-API, SQLAlchemy or Django")


class SqlAlchemy(Session):
    """A session or connection of SQLAlchemy."""

    @property
    def is_postgresql(self) -> bool:
        """Tell whether PostgreSQL answers."""
        return str(self._connection().dialect.name) in _POSTGRESQL

    def commits_each(self) -> bool:
        """Tell whether the driver commits each statement, as with the isolation level AUTOCOMMIT."""
        pooled = self._connection().connection
        return commits_each(pooled.dbapi_connection) or commits_each(pooled.driver_connection)

    def _connection(self) -> Any:  # noqa: ANN401 - SQLAlchemy's own
        found = self._native
        return found.connection() if callable(found.connection) else found

    def _run(self, statement: str, values: Values, *, rows: bool) -> tuple[int, list[tuple[Any, ...]]]:
        text = importlib.import_module("sqlalchemy").text
        found = self._native.execute(text(statement), dict(values))
        return (-1, [tuple(row) for row in found]) if rows else (found.rowcount, [])


class Django(Session):
    """A database connection of Django."""

    @property
    def is_postgresql(self) -> bool:
        """Tell whether PostgreSQL answers."""
        return str(self._native.vendor) in _POSTGRESQL

    def commits_each(self) -> bool:
        """Tell whether no `atomic` block is around and Django commits each statement, as it does by default."""
        return not self._native.in_atomic_block and bool(self._native.get_autocommit())

    def begin(self) -> None:
        """Have a transaction begin with the next statement."""
        self._native.set_autocommit(False)

    def spoil(self) -> None:
        """Have the `atomic` block end in a rollback."""
        if self._native.in_atomic_block:
            self._native.set_rollback(True)
        else:
            self._native.rollback()

    def _run(self, statement: str, values: Values, *, rows: bool) -> tuple[int, list[tuple[Any, ...]]]:
        with self._native.cursor() as cursor:
            cursor.execute(_VALUE.sub(r"%(\1)s", statement), dict(values))
            return cursor.rowcount, [tuple(row) for row in cursor.fetchall()] if rows else []


def session(native: Any) -> Session:  # noqa: ANN401 - the owner's own
    """Give what an owner has at hand, a text for the alias of Django's, in one manner."""
    if isinstance(native, str):
        return Django(importlib.import_module("django.db").connections[native])
    roots = _roots(native)
    if "sqlalchemy" in roots:
        return SqlAlchemy(native)
    return Django(native) if "django" in roots else Session(native)


def create(connection: Any) -> None:  # noqa: ANN401 - as in `session`
    """Create the table `oneact_spends` where it is absent; whoever calls this commits."""
    found = session(connection)
    found.execute(statements.TABLE)
    found.execute(statements.INDEX)


def commits_each(driver: Any) -> bool:  # noqa: ANN401 - a connection of any driver
    """Tell whether a driver's connection, in no transaction now, would commit the next statement by itself."""
    autocommit, under_way = getattr(driver, "autocommit", None), getattr(driver, "in_transaction", None)
    if isinstance(under_way, bool):  # sqlite3's, and what wraps it
        by_itself = autocommit is True or (autocommit is not False and driver.isolation_level is None)
        return by_itself and not under_way
    status = getattr(getattr(driver, "info", None), "transaction_status", 0)  # psycopg's; 0 is idle
    return autocommit is True and not status


def _roots(native: object) -> list[str]:
    return [found.__module__.partition(".")[0] for found in type(native).__mro__]


def _placed(statement: str, values: Values, style: str) -> tuple[str, Any]:
    """Write the values' places in the driver's own style (PEP 249)."""
    if style == "named":
        return statement, dict(values)
    names: Iterable[str] = _VALUE.findall(statement)
    ordered = tuple(values[name] for name in names)
    if style == "numeric":
        numbers = iter(range(1, len(ordered) + 1))
        return _VALUE.sub(lambda _: f":{next(numbers)}", statement), ordered
    return _VALUE.sub("?" if style == "qmark" else "%s", statement), ordered


def _tuple(row: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a row as the owner's row factory makes it
    return tuple(row.values()) if isinstance(row, dict) else tuple(row)
