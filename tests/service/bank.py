"""A bank whose handler writes its spend in its own transaction, over three kinds of access to one SQLite database.

Each transfer is a row without any key, so that nothing hides a second one. What the handler does around its
transaction, the note says; where it waits, it waits until the file `go` is there.
"""

import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
import uvicorn
from sqlalchemy.orm import Session, sessionmaker
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from oneact.service import SPENDS_SQL, Act, Guard

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["to"],
    "properties": {"to": {"type": "string"}, "note": {"type": "string", "default": ""}},
}
KINDS = ("sqlite3", "sqlalchemy", "django")
INSERT = "INSERT INTO transfers VALUES (:txn, :to)"


def prepare(folder: Path) -> Path:
    """Make the bank's database with both tables; give its file."""
    file = folder / "bank.db"
    with sqlite3.connect(file) as made:
        made.executescript("PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS transfers (txn TEXT, recipient TEXT);")
        made.executescript(SPENDS_SQL)
    made.close()
    return file


class Sqlite3:
    def __init__(self, file: Path) -> None:
        self._file = file
        self.source: Any = self.connect

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file, timeout=5)

    @contextmanager
    def session(self) -> Iterator[Any]:
        opened = self.connect()
        try:
            with opened:
                yield opened
        finally:
            opened.close()

    def add(self, session: Any, row: dict[str, str]) -> None:
        session.execute(INSERT, row)

    def commit(self, session: Any) -> None:
        session.commit()

    def rollback(self, session: Any) -> None:
        session.rollback()


class SqlAlchemy(Sqlite3):
    def __init__(self, file: Path) -> None:
        self.source = sqlalchemy.create_engine(f"sqlite:///{file}", connect_args={"timeout": 5})
        self._sessions = sessionmaker(self.source)

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self._sessions() as opened:
            yield opened
            opened.commit()

    def add(self, session: Any, row: dict[str, str]) -> None:
        session.execute(sqlalchemy.text(INSERT), row)


class Django(Sqlite3):
    """The database of Django's alias `default`; settings are a process's own, so this bank has one to itself."""

    def __init__(self, file: Path) -> None:
        from django.conf import settings

        databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": file, "OPTIONS": {"timeout": 5}}}
        settings.configure(DATABASES=databases)
        self.source = "default"

    @contextmanager
    def session(self) -> Iterator[Any]:
        from django.db import connection, transaction

        try:
            with transaction.atomic():
                yield connection
        finally:
            connection.close()

    def add(self, session: Any, row: dict[str, str]) -> None:
        with session.cursor() as cursor:
            cursor.execute("INSERT INTO transfers VALUES (%(txn)s, %(to)s)", row)

    def commit(self, session: Any) -> None:
        raise NotImplementedError

    def rollback(self, session: Any) -> None:
        session.set_rollback(True)


class Bank:
    """One service with one action, which moves money."""

    def __init__(self, kind: str, port: int, issuer: str, folder: Path, deadline: int = 30) -> None:
        self.resource = f"http://localhost:{port}"
        self.file, self.folder = prepare(folder), folder
        self.access = {"sqlite3": Sqlite3, "sqlalchemy": SqlAlchemy, "django": Django}[kind](self.file)
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
