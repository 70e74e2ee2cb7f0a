"""What any database of the approval server has to do; each back end runs the same."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind, commitment
from oneact.protocol import canonical
from oneact.store import SqliteStore, Write, statements
from tests.rounds import rounds

KILLS = rounds(3, 50)
ENTRY = Entry(Kind.ASKED, 7, "a", "r", {"x": "\u00e9"})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    found = await SqliteStore.open(tmp_path / "deep" / "er" / "server.db")
    _teach(found)
    yield found
    await found.close()


def _teach(found: SqliteStore) -> None:
    """Add statements that only these tests need."""
    for name, text in {
        "add": "INSERT INTO accounts (id, name, created_at) VALUES ($1, $2, $3)",
        "reversed": "INSERT INTO accounts (created_at, name, id) VALUES ($3, $2, $1)",
        "reused": "INSERT INTO accounts (id, name, created_at) VALUES ($1, $1, $2)",
        "rename": "UPDATE accounts SET name = $2 WHERE id = $1 AND name = $3",
        "everyone": "SELECT id, name, created_at FROM accounts ORDER BY id",
        "everything": "SELECT * FROM entries ORDER BY seq",
        "broken": "SELECT nothing FROM nowhere",
    }.items():
        found._statements[name] = statements.for_sqlite(text)


async def test_a_change_is_there_when_it_is_acknowledged(store: SqliteStore) -> None:
    assert await store.change([Write("add", ("1", "Ada", 5))], [ENTRY])
    assert await store.one("everyone") == {"id": "1", "name": "Ada", "created_at": 5}
    assert len(await store.all("everything")) == 1


async def test_a_parameter_may_be_used_twice_and_in_any_order(store: SqliteStore) -> None:
    assert await store.change([Write("reversed", ("1", "Ada", 5)), Write("reused", ("2", 6))], ())
    assert [tuple(row.values()) for row in await store.all("everyone")] == [("1", "Ada", 5), ("2", "2", 6)]


async def test_nothing_of_a_change_stands_when_a_condition_does_not_hold(store: SqliteStore) -> None:
    await store.change([Write("add", ("1", "Ada", 5))], ())
    assert not await store.change([Write("add", ("2", "Bob", 5)), Write("rename", ("1", "Eve", "Bob"))], [ENTRY])
    assert not await store.change([Write("add", ("3", "Bob", 5)), Write("add", ("1", "Ada", 5))], [ENTRY])
    assert len(await store.all("everyone")) == 1
    assert await store.all("everything") == []


async def test_a_write_may_leave_the_number_of_rows_open(store: SqliteStore) -> None:
    assert await store.change([Write("rename", ("1", "Eve", "Bob"), None)], [ENTRY])
    assert len(await store.all("everything")) == 1


async def test_of_racing_changes_one_holds(store: SqliteStore) -> None:
    await store.change([Write("add", ("1", "0", 5))], ())
    found = await asyncio.gather(*(store.change([Write("rename", ("1", str(n), "0"))], [ENTRY]) for n in range(1, 65)))
    assert sum(found) == 1
    assert len(await store.all("everything")) == 1


async def test_many_changes_at_once_are_all_kept_in_order(store: SqliteStore) -> None:
    found = await asyncio.gather(*(store.change([Write("add", (f"{n:04d}", "x", n))], [ENTRY]) for n in range(2000)))
    assert all(found)
    assert [row["created_at"] for row in await store.all("everyone")] == list(range(2000))
    assert [row["seq"] for row in await store.all("everything")] == list(range(1, 2001))


async def test_an_entry_is_kept_with_salt_and_commitment(store: SqliteStore) -> None:
    await store.change((), [ENTRY, ENTRY])
    first, second = await store.all("everything")
    assert first["salt"] != second["salt"]
    assert canonical.parse(first["content"].encode()) == ENTRY.content
    assert first["commitment"] == commitment(ENTRY, first["salt"])
    assert (first["kind"], first["at"], first["account_id"], first["request_id"]) == ("asked", 7, "a", "r")


async def test_what_the_database_cannot_answer_is_unavailable(store: SqliteStore) -> None:
    for call in (
        store.all("broken"),
        store.change([Write("broken", ())], ()),
        store.change([Write("no_such", ())], ()),
    ):
        with pytest.raises(Refusal) as refused:
            await call
        assert refused.value.reason is Reason.STORE_UNAVAILABLE
    assert await store.change([Write("add", ("1", "Ada", 5))], ())


async def test_one_broken_change_does_not_take_its_batch_with_it(store: SqliteStore) -> None:
    changes = [store.change([Write("broken" if n == 3 else "add", (str(n), "x", n))], ()) for n in range(6)]
    found = await asyncio.gather(*changes, return_exceptions=True)
    assert [item if isinstance(item, bool) else "refused" for item in found] == [True] * 3 + ["refused"] + [True] * 2


async def test_a_closed_store_is_unavailable(tmp_path: Path) -> None:
    found = await SqliteStore.open(tmp_path / "a.db")
    await found.close()
    for asked in (found.change((), [ENTRY]), found.all("everyone"), found.one("everyone")):
        with pytest.raises(Refusal) as refused:
            await asyncio.wait_for(asked, 10)
        assert refused.value.reason is Reason.STORE_UNAVAILABLE


async def test_opening_again_keeps_what_is_there_and_migrates_once(tmp_path: Path) -> None:
    for number in range(3):
        found = await SqliteStore.open(tmp_path / "a.db")
        _teach(found)
        assert await found.change([Write("add", (str(number), "x", number))], [ENTRY])
        assert len(await found.all("everyone")) == number + 1
        await found.close()
    with sqlite3.connect(tmp_path / "a.db") as raw:
        assert raw.execute("PRAGMA user_version").fetchone()[0] == statements.migrations()[-1][0]


def test_every_statement_has_one_name_and_can_be_prepared(tmp_path: Path) -> None:
    asyncio.run(_open_and_close(tmp_path / "a.db"))
    with sqlite3.connect(tmp_path / "a.db") as raw:
        for name, text in statements.load().items():
            count = max((int(number) for number in statements._PARAMETER.findall(text)), default=0)
            assert raw.execute(f"EXPLAIN {statements.for_sqlite(text)}", [None] * count).fetchall(), name


async def _open_and_close(file: Path) -> None:
    await (await SqliteStore.open(file)).close()


def test_migrations_are_numbered_without_gaps() -> None:
    assert [number for number, _ in statements.migrations()] == list(range(1, len(statements.migrations()) + 1))


WRITER = """
import asyncio, sys
from pathlib import Path
from oneact.log.entry import Entry, Kind
from oneact.store import SqliteStore, Write, statements

async def main():
    store = await SqliteStore.open(Path(sys.argv[1]))
    store._statements["add"] = statements.for_sqlite("INSERT INTO accounts (id, name, created_at) VALUES ($1, $1, 0)")
    async def one(n):
        for i in range(100000):
            name = f"{sys.argv[2]}-{n}-{i}"
            if await store.change([Write("add", (name,))], [Entry(Kind.ACCOUNT_CREATED, 0, name, "", {})]):
                print(name, flush=True)
    await asyncio.gather(*(one(n) for n in range(8)))

asyncio.run(main())
"""


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    for number in range(KILLS):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "a.db"), str(number)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(200):
            acknowledged.add(writer.stdout.readline().strip())
        writer.send_signal(signal.SIGKILL)
        acknowledged |= {line.strip() for line in writer.stdout if line.endswith("\n")}
        writer.wait()
        writer.stdout.close()
    with sqlite3.connect(tmp_path / "a.db") as raw:
        kept = {row[0] for row in raw.execute("SELECT id FROM accounts")}
        logged = {row[0] for row in raw.execute("SELECT account_id FROM entries")}
    assert acknowledged - kept == set()
    assert kept == logged  # no state without its entry, no entry without its state
