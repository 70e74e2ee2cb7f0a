"""SQLite behind the store's contract: one writer that commits what has gathered, readers beside it."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.log import entry as log_entry
from oneact.protocol import canonical
from oneact.store import statements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from oneact.log.entry import Entry
    from oneact.store.contract import Row, Value, Write

_READERS: Final = 2
_MAX_BATCH: Final = 512
_INSERT_ENTRY: Final = "insert_entry"


@dataclass(slots=True)
class _Change:
    writes: Sequence[Write]
    entries: Sequence[Entry]
    done: asyncio.Future[bool]


class SqliteStore:
    """A store in one SQLite file; made by `SqliteStore.open`."""

    def __init__(self, path: Path) -> None:
        """Remember where the file is; nothing is opened yet."""
        self._path = path
        self._statements = {name: statements.for_sqlite(text) for name, text in statements.load().items()}
        self._queue: asyncio.Queue[_Change | None] = asyncio.Queue()
        self._writer_thread = ThreadPoolExecutor(1, thread_name_prefix="oneact-writer")
        self._reader_threads = ThreadPoolExecutor(_READERS, thread_name_prefix="oneact-reader")
        self._readers: asyncio.Queue[sqlite3.Connection] = asyncio.Queue()
        self._writer: sqlite3.Connection
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> SqliteStore:
        """Open or make the database, for its owner alone, and bring it to the newest migration."""
        store = cls(path)
        loop = asyncio.get_running_loop()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            store._writer = await loop.run_in_executor(store._writer_thread, store._open_writer)
        except (OSError, sqlite3.Error) as error:
            raise Refusal(Reason.STORE_UNAVAILABLE, f"{path} cannot be opened: {error}") from error
        for _ in range(_READERS):
            store._readers.put_nowait(await loop.run_in_executor(store._reader_threads, store._connect))
        store._task = loop.create_task(store._commit_what_gathers())
        return store

    async def one(self, statement: str, *parameters: Value) -> Row | None:
        """Give the first row, or None."""
        rows = await self.all(statement, *parameters)
        return rows[0] if rows else None

    async def all(self, statement: str, *parameters: Value) -> list[Row]:
        """Give all rows."""
        if self._closed:  # else it would wait for a reader that nobody gives back any more
            raise Refusal(Reason.STORE_UNAVAILABLE, "the store is closed")
        connection = await self._readers.get()
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._reader_threads, self._read, connection, statement, parameters)
        except sqlite3.Error as error:
            raise Refusal(Reason.STORE_UNAVAILABLE, str(error)) from error
        finally:
            self._readers.put_nowait(connection)

    async def change(self, writes: Sequence[Write], entries: Sequence[Entry]) -> bool:
        """Make these writes and entries in one transaction, or nothing."""
        if self._closed or self._task is None or self._task.done():
            raise Refusal(Reason.STORE_UNAVAILABLE, "the store is closed")
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Change(writes, entries, done))
        return await asyncio.shield(done)

    async def close(self) -> None:
        """Finish what has been accepted, then close; a second time it does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._task is not None and not self._task.done():
            self._queue.put_nowait(None)
            await self._task
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writer_thread, self._writer.close)
        while not self._readers.empty():
            await loop.run_in_executor(self._reader_threads, self._readers.get_nowait().close)
        self._writer_thread.shutdown()
        self._reader_threads.shutdown()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=10)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")  # what is erased is gone from the file, too
        return connection

    def _open_writer(self) -> sqlite3.Connection:
        self._path.touch(mode=0o600)  # what SQLite puts beside it takes its mode
        connection = self._connect()
        connection.execute("BEGIN IMMEDIATE")
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        for number, text in statements.migrations():
            if number > version:
                for statement in text.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number:d}")
        connection.execute("COMMIT")
        return connection

    def _read(self, connection: sqlite3.Connection, statement: str, parameters: tuple[Value, ...]) -> list[Row]:
        return [dict(row) for row in connection.execute(self._statements[statement], parameters)]

    async def _commit_what_gathers(self) -> None:
        loop, closing = asyncio.get_running_loop(), False
        while not closing:
            batch = [await self._queue.get()]
            while not self._queue.empty() and len(batch) < _MAX_BATCH:
                batch.append(self._queue.get_nowait())
            closing = None in batch
            changes = [change for change in batch if change is not None]
            try:
                outcomes = await loop.run_in_executor(self._writer_thread, self._commit, changes)
            except Exception as error:  # noqa: BLE001 - whatever it is, the writer goes on and nothing of it stands
                for change in changes:
                    _settle(change.done, Refusal(Reason.STORE_UNAVAILABLE, repr(error)))
            else:
                for change, outcome in zip(changes, outcomes, strict=True):
                    _settle(change.done, outcome)

    def _commit(self, changes: Sequence[_Change]) -> list[bool | Refusal]:
        if not changes:
            return []
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._apply(change) for change in changes]
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise
        return outcomes

    def _apply(self, change: _Change) -> bool | Refusal:
        """Apply one change inside the batch's transaction; what does not hold is undone alone."""
        self._writer.execute("SAVEPOINT one")
        try:
            holds = all(self._write(write) for write in change.writes)
        except sqlite3.IntegrityError:
            holds = False
        except (sqlite3.Error, KeyError) as error:
            self._writer.execute("ROLLBACK TO one")
            self._writer.execute("RELEASE one")
            return Refusal(Reason.STORE_UNAVAILABLE, str(error))
        if holds:
            for entry in change.entries:
                self._log(entry)
        else:
            self._writer.execute("ROLLBACK TO one")
        self._writer.execute("RELEASE one")
        return holds

    def _write(self, write: Write) -> bool:
        cursor = self._writer.execute(self._statements[write.statement], write.parameters)
        return write.rows is None or cursor.rowcount == write.rows

    def _log(self, entry: Entry) -> None:
        salt = secrets.token_bytes(log_entry.SALT_OCTETS)
        row = (
            entry.at, entry.kind.value, entry.account, entry.request,
            canonical.encode(entry.content).decode(), salt, log_entry.commitment(entry, salt),
        )  # fmt: skip
        self._writer.execute(self._statements[_INSERT_ENTRY], row)


def _settle(done: asyncio.Future[bool], outcome: bool | Refusal) -> None:  # noqa: FBT001 - the outcome is the value
    if done.cancelled():
        return
    if isinstance(outcome, Refusal):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)
