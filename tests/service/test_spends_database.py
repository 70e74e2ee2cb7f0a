"""The owner's database of spends: how it is looked into, what is recovered from it, which connections are refused."""

import contextlib
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from tests.service.bank import Bank, Sqlite3
from tests.service.banking import committed, once, spend_of

from oneact.errors import Reason, Refusal
from oneact.service.store import owner
from oneact.service.store.contract import Holder, Outcome, Spend
from oneact.service.store.owner.session import _placed, commits_each, session
from oneact.service.store.sqlite import SqliteStore


async def found(bank: Bank, spend: Spend) -> str:
    store = SqliteStore(bank.folder / "air.db")
    await store.open()
    row = await store.find_spend(spend.key)
    await store.close()
    return row.state if row else "none"


async def refused(awaited: Any) -> Reason:
    with pytest.raises(Refusal) as caught:
        await awaited
    return caught.value.reason


@pytest.mark.parametrize("before", ["nothing", "spent", "unknown"])
async def test_a_committed_spend_is_recovered_whatever_the_own_store_knows(still: Bank, before: str) -> None:
    spend = spend_of(still)
    committed(still, spend)
    if before != "nothing":
        assert await still.guard.store.spend(spend)
    if before == "unknown":
        assert await still.guard.store.finish(spend.key, Outcome("unknown", "receipt", 101))
    await once(still).recover()
    assert await found(still, spend) == "executed"
    [row] = Sqlite3(still.folder).rows("oneact_spends")
    assert row[-2:] == (None, 1)  # the token is in the journal now
    contents = [entry.content or {} for entry in await still.guard.store.journal(0, 9)]
    assert contents[1]["token"] == ("a.b.c" if before == "nothing" else None)
    states = [content["state"] for content in contents[2:]]
    assert states == (["unknown", "executed"] if before == "unknown" else ["executed"])


async def test_before_its_deadline_a_committed_spend_is_left_to_whoever_may_run_it(still: Bank) -> None:
    spend = spend_of(still, spent_at=int(time.time()))
    committed(still, spend)
    await once(still).recover()
    assert await found(still, spend) == "none"
    running = await once(still).find(spend.key)
    assert running is not None
    assert (await once(still).existing(running, spend.holder)).status == 409
    assert await refused(once(still).existing(running, Holder("other", "client", "jkt", "digest"))) is (
        Reason.SPENT_BY_ANOTHER
    )


async def test_an_ordinary_act_that_was_cut_off_is_unknown_also_where_others_spend(still: Bank) -> None:
    spend = spend_of(still)
    assert await still.guard.store.spend(spend)
    await once(still).recover()
    assert await found(still, spend) == "unknown"


async def test_where_the_owners_database_is_silent_nothing_is_said_to_be_unknown(still: Bank) -> None:
    spend = spend_of(still)
    assert await still.guard.store.spend(spend)
    (still.folder / "bank.db").rename(still.folder / "away")
    await once(still).recover()
    assert await found(still, spend) == "spent"
    assert await refused(once(still).find(spend_of(still, "other").key)) is Reason.STORE_UNAVAILABLE
    (still.folder / "away").rename(still.folder / "bank.db")
    await once(still).recover()
    assert await found(still, spend) == "unknown"


async def test_only_what_has_been_recorded_is_forgotten(still: Bank) -> None:
    old, open_ = spend_of(still), spend_of(still, "open", int(time.time()))
    committed(still, old)
    committed(still, open_)
    await once(still).forget(2**40)
    assert len(Sqlite3(still.folder).rows("oneact_spends")) == 2
    await once(still).recover()
    await once(still).forget(2**40)
    assert [row[2] for row in Sqlite3(still.folder).rows("oneact_spends")] == ["open"]


def autocommitting(file: Path) -> Iterator[Any]:
    yield sqlite3.connect(file, isolation_level=None)
    yield sqlalchemy.create_engine(f"sqlite:///{file}", isolation_level="AUTOCOMMIT").connect()


def test_a_connection_that_commits_each_statement_is_refused_outside_of_a_transaction(still: Bank) -> None:
    spend = spend_of(still)
    for opened in autocommitting(still.folder / "bank.db"):
        with contextlib.closing(opened):
            assert session(opened).commits_each()
            with pytest.raises(RuntimeError):
                owner.write(opened, spend, "run")
            opened.execute("BEGIN" if isinstance(opened, sqlite3.Connection) else sqlalchemy.text("BEGIN"))
            owner.write(opened, spend, "run")
            session(opened).execute("ROLLBACK")
    assert Sqlite3(still.folder).rows("oneact_spends") == []


async def test_the_guard_looks_over_a_connection_that_commits_each_statement_without_leaving_anything(
    still: Bank,
) -> None:
    spend = spend_of(still)
    file = still.folder / "bank.db"
    engine = sqlalchemy.create_engine(f"sqlite:///{file}", isolation_level="AUTOCOMMIT")
    for source in (lambda: sqlite3.connect(file, isolation_level=None), engine):
        database = owner.OwnerDatabase(source)
        assert not await database.is_taken(spend.key)
        assert await database.find(spend.key) is None
    committed(still, spend)
    for source in (lambda: sqlite3.connect(file, isolation_level=None), engine):
        assert await owner.OwnerDatabase(source).is_taken(spend.key)
        await owner.OwnerDatabase(source).tick_off([spend.key])
    assert Sqlite3(still.folder).rows("oneact_spends")[0][-1] == 1
    engine.dispose()


class Driver:
    """What psycopg says of its connection, without a server."""

    def __init__(self, **said: Any) -> None:
        self.autocommit, self.transaction_status = said["autocommit"], said["status"]

    @property
    def info(self) -> "Driver":
        return self


@pytest.mark.parametrize(
    ("said", "alone"),
    [
        ({"autocommit": True, "status": 0}, True),
        ({"autocommit": True, "status": 2}, False),
        ({"autocommit": False, "status": 0}, False),
    ],
)
def test_a_driver_with_autocommit_is_in_a_transaction_where_it_says_so(said: Any, alone: object) -> None:
    assert commits_each(Driver(**said)) is alone


@pytest.mark.parametrize(
    ("style", "text", "given"),
    [
        ("qmark", "a = ? AND b = ? AND a = ?", (1, "x", 1)),
        ("format", "a = %s AND b = %s AND a = %s", (1, "x", 1)),
        ("pyformat", "a = %s AND b = %s AND a = %s", (1, "x", 1)),
        ("numeric", "a = :1 AND b = :2 AND a = :3", (1, "x", 1)),
        ("named", "a = :a AND b = :b AND a = :a", {"b": "x", "a": 1}),
    ],
)
def test_values_are_placed_in_each_style_of_db_api(style: str, text: str, given: Any) -> None:
    assert _placed("a = :a AND b = :b AND a = :a", {"b": "x", "a": 1}, style) == (text, given)


def test_the_table_is_made_by_function_and_by_sql_alike(tmp_path: Path) -> None:
    made = []
    for number in range(2):
        with contextlib.closing(sqlite3.connect(tmp_path / f"{number}.db")) as opened:
            for _ in range(2):
                opened.executescript(owner.SPENDS_SQL) if number else owner.create(opened)
            made.append(opened.execute("SELECT name, type FROM sqlite_schema ORDER BY name").fetchall())
    assert made[0] == made[1]


def test_an_object_of_no_known_kind_is_no_session() -> None:
    with pytest.raises(TypeError):
        session(threading.Lock()).execute("SELECT 1")


MIGRATION = """
import sys
import django
from django.conf import settings
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}})
django.setup()
from django.db import connection, migrations
from django.db.migrations.state import ProjectState
from oneact.service import SPENDS_SQL
with connection.schema_editor() as editor:
    migrations.RunSQL(SPENDS_SQL).database_forwards("bank", editor, ProjectState(), ProjectState())
"""


def test_the_table_is_made_by_a_migration_of_django(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", MIGRATION, str(tmp_path / "bank.db")], check=True)
    assert Sqlite3(tmp_path).rows("oneact_spends") == []
