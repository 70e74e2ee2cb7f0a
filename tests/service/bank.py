"""A bank whose handler writes its spend in its own transaction, over several kinds of access to its database.

Each transfer is a row without any key, so that nothing hides a second one. What the handler does around its
transaction, the note says; where it waits, it waits until the file `go` is there.
"""

import contextlib
import hashlib
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy
import uvicorn
from sqlalchemy.orm import Session, sessionmaker
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from tests import postgresql

from oneact.service import SPENDS_SQL, Act, Guard, create_spends

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["to"],
    "properties": {"to": {"type": "string"}, "note": {"type": "string", "default": ""}},
}
TRANSFERS = "CREATE TABLE transfers (txn TEXT, recipient TEXT)"
INSERT = "INSERT INTO transfers VALUES (:txn, :to)"


class Sqlite3:
    """The file `bank.db`, by Python's own module."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "bank.db"
        self.source: Any = self.connect

    def prepare(self) -> None:
        """Make both tables."""
        with contextlib.closing(self.connect()) as made:
            made.executescript(f"PRAGMA journal_mode=WAL; {TRANSFERS};" + SPENDS_SQL)

    def rows(self, table: str) -> list[Any]:
        with contextlib.closing(self.connect()) as opened:
            return list(opened.execute(f"SELECT * FROM {table}").fetchall())  # noqa: S608 - a table of the tests

    def connect(self) -> Any:
        return sqlite3.connect(self._file, timeout=5)

    @contextmanager
    def session(self) -> Iterator[Any]:
        with contextlib.closing(self.connect()) as opened, opened:
            yield opened

    def add(self, session: Any, row: dict[str, str]) -> None:
        session.execute(INSERT, row)

    def rollback(self, session: Any) -> None:
        session.rollback()

    def close(self) -> None:
        """Let go of what is kept between two sessions."""


class Postgresql(Sqlite3):
    """A schema of its own for each folder, by psycopg, at the address of `tests.postgresql`."""

    def __init__(self, folder: Path) -> None:
        self._schema = "bank_" + hashlib.sha256(str(folder).encode()).hexdigest()[:16]
        self.source = self.connect

    def prepare(self) -> None:
        with contextlib.closing(self.connect()) as made, made:
            made.execute(f"CREATE SCHEMA {self._schema}")
            made.execute(TRANSFERS)
            create_spends(made)

    def connect(self) -> Any:
        return psycopg.connect(os.environ[postgresql.NAMED], options=f"-c search_path={self._schema}")

    def add(self, session: Any, row: dict[str, str]) -> None:
        session.execute("INSERT INTO transfers VALUES (%(txn)s, %(to)s)", row)


class SqlAlchemy(Sqlite3):
    """The same file by a session of SQLAlchemy."""

    def __init__(self, folder: Path) -> None:
        self._engine(f"sqlite:///{folder / 'bank.db'}", timeout=5)

    def _engine(self, address: str, **connecting: Any) -> None:
        self.source = sqlalchemy.create_engine(address, connect_args=connecting)
        self._sessions = sessionmaker(self.source)

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self._sessions() as opened:
            yield opened
            opened.commit()

    def add(self, session: Any, row: dict[str, str]) -> None:
        session.execute(sqlalchemy.text(INSERT), row)

    def close(self) -> None:
        self.source.dispose()


class SqlAlchemyOnPostgresql(SqlAlchemy):
    """The schema by a session of SQLAlchemy."""

    def __init__(self, folder: Path) -> None:
        schema = Postgresql(folder)._schema
        address = os.environ[postgresql.NAMED].replace("postgresql:", "postgresql+psycopg:")
        self._engine(address, options=f"-c search_path={schema}")


class Django(Sqlite3):
    """The database of Django's alias `default`; settings are a process's own, so this bank has one to itself."""

    def __init__(self, folder: Path) -> None:
        from django.conf import settings  # noqa: PLC0415 - the other banks have no Django

        file = folder / "bank.db"
        databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": file, "OPTIONS": {"timeout": 5}}}
        settings.configure(DATABASES=databases)
        self.source = "default"

    @contextmanager
    def session(self) -> Iterator[Any]:
        from django.db import connection, transaction  # noqa: PLC0415 - as above

        try:
            with transaction.atomic():
                yield connection
        finally:
            connection.close()

    def add(self, session: Any, row: dict[str, str]) -> None:
        with session.cursor() as cursor:
            cursor.execute("INSERT INTO transfers VALUES (%(txn)s, %(to)s)", row)

    def rollback(self, session: Any) -> None:
        session.set_rollback(True)


ACCESS: dict[str, type[Sqlite3]] = {
    "sqlite3": Sqlite3,
    "sqlalchemy": SqlAlchemy,
    "django": Django,
    "postgresql": Postgresql,
    "sqlalchemy on postgresql": SqlAlchemyOnPostgresql,
}


def tables(kind: str, folder: Path) -> Sqlite3:
    """Give the plain way to the tables of a bank of this kind."""
    return (Postgresql if "postgresql" in kind else Sqlite3)(folder)


class Bank:
    """One service with one action, which moves money."""

    def __init__(self, kind: str, port: int, issuer: str, folder: Path, deadline: int = 30) -> None:
        self.resource = f"http://localhost:{port}"
        self.folder, self.access = folder, ACCESS[kind](folder)
        self.guard = Guard(
            resource=self.resource, name="Example Bank", key=folder / "air.jwk", store=folder / "air.db",
            account=lambda _: None, issuers=[issuer], spends=self.access.source,
        )  # fmt: skip
        decorate = self.guard.asgi(
            "transfer", intent="Transfer money", summary="Send it to {to}", schema=SCHEMA, deadline=deadline,
            spends=True, path="/transfers",
        )  # fmt: skip
        routes = [Route("/transfers", decorate(self.transfer)), Mount("/", self.guard.app)]
        self.app = Starlette(routes=routes, lifespan=self.guard.lifespan)

    def transfer(self, parameters: dict[str, Any], act: Act) -> Any:
        note = parameters["note"]
        if note == "raise at first":
            raise RuntimeError("the handler broke")
        kill(note, "kill at first")
        with self.access.session() as session:
            self._within(session, act, parameters)
        kill(note, "kill committed")
        if note == "raise committed":
            raise RuntimeError("the handler broke")
        if note == "wait committed":
            self.wait()
        return (409 if note in {"refuse", "refuse committed"} else 201), {}, {"sent": act.txn}

    def _within(self, session: Any, act: Act, parameters: dict[str, Any]) -> None:
        note = parameters["note"]
        if note == "wait at first":
            self.wait()
        if note != "forget":
            self.guard.spend(session)
        if note == "twice":
            self.guard.spend(session)
        self.access.add(session, {"txn": act.txn, "to": parameters["to"]})
        if note == "wait open":
            self.wait()
        if note in {"lose", "refuse"}:
            self.access.rollback(session)
        kill(note, "kill open")
        if note == "raise open":
            raise RuntimeError("the handler broke")

    def wait(self) -> None:
        (self.folder / "waits").touch()
        while not (self.folder / "go").exists():
            threading.Event().wait(0.01)


def kill(note: str, at: str) -> None:
    if note == at:
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    kind, issuer, folder, port, listen, deadline = sys.argv[1:]
    bank = Bank(kind, int(port), issuer, Path(folder), int(deadline))
    uvicorn.run(bank.app, host="127.0.0.1", port=int(listen), log_level="critical", ws="none")


if __name__ == "__main__":
    main()
