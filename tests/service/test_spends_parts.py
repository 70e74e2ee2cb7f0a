"""The parts of spending in the handler's transaction: what is refused, what recovers, what is forgotten."""

import asyncio
import contextlib
import contextvars
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest
import sqlalchemy
from fastapi import Depends, FastAPI
from sqlalchemy.util import greenlet_spawn
from tests.service.airline import Airline
from tests.service.bank import SCHEMA, Bank, Sqlite3
from tests.service.banking import World, reason, there
from tests.service.world import ApprovalServer, eventually, served

from oneact.errors import Reason, Refusal
from oneact.service import Act, Answer, Guard
from oneact.service.fastapi import Guard as FastApiGuard
from oneact.service.once import Once
from oneact.service.store import owner
from oneact.service.store.contract import Holder, Outcome, Spend, SpendKey
from oneact.service.store.owner.session import _placed, commits_each, session
from oneact.service.store.sqlite import SqliteStore

ISSUER = "http://localhost:8400"


@pytest.fixture
async def world(server: ApprovalServer, tmp_path: Path) -> AsyncIterator[World]:
    async with there("sqlite3", tmp_path, server) as found:
        yield found


@pytest.fixture
def bank(world: World) -> Iterator[Bank]:
    """A bank over sqlite3 in this process."""
    found = Bank("sqlite3", world.port, world.server.issuer, world.folder, 2)
    with served(found.app, world.port):
        yield found


def once(bank: Bank) -> Once:
    assert isinstance(bank.guard.execution, Once)
    return bank.guard.execution


def spend_of(bank: Bank, txn: str = "txn", spent_at: int = 100) -> Spend:
    key = SpendKey(bank.resource, ISSUER, txn)
    return Spend(key, Holder("sub", "client", "jkt", "digest"), "jti", "alice", "transfer", spent_at, spent_at + 2)


def committed(bank: Bank, spend: Spend) -> None:
    with bank.access.session() as opened:
        owner.write(opened, replace(spend, token="a.b.c"), "run")


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


@pytest.fixture
async def still(world: World) -> AsyncIterator[Bank]:
    """A bank whose guard makes no rounds: its store is open, and whatever it does a test has it do."""
    found = Bank("sqlite3", world.port, world.server.issuer, world.folder, 2)
    await found.guard.store.open()
    yield found
    await found.guard.store.close()


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
    assert contents[0]["token"] == ("a.b.c" if before == "nothing" else None)
    states = [content["state"] for content in contents[1:]]
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


async def test_an_open_transaction_keeps_the_guard_from_saying_that_nothing_was_executed(
    bank: Bank, world: World
) -> None:
    token, body = await world.token()
    clock = bank.guard.now
    bank.guard.now = lambda: clock() + 31
    with contextlib.closing(sqlite3.connect(bank.folder / "bank.db")) as elsewhere:
        elsewhere.execute("BEGIN IMMEDIATE")
        answer = await world.show(token, body, later=31)
        assert reason(answer) == (401, "token_expired")
        assert "not_executed" not in answer.json()
    answer = await world.show(token, body, later=31)
    assert reason(answer) == (401, "token_expired")
    assert answer.json()["not_executed"] is True


async def test_what_runs_here_is_in_progress_before_it_spends_and_after_its_token_has_expired(
    bank: Bank, world: World
) -> None:
    token, body = await world.token("wait at first")
    first = asyncio.create_task(world.show(token, body))
    await eventually((world.folder / "waits").exists)
    clock = bank.guard.now
    bank.guard.now = once(bank)._now = lambda: clock() + 31
    try:
        assert reason(await world.show(token, body, later=31)) == (409, "act_in_progress")
    finally:
        world.go()
    await first


async def test_changed_terms_come_with_a_new_offer_only_where_nothing_can_still_be_committed(
    world: World, server: ApprovalServer, tmp_path: Path
) -> None:
    airline = Airline("asgi", world.port, server.issuer, tmp_path, spends=Sqlite3(tmp_path).connect)
    guard = airline.guard
    guard.actions["book_flight"] = replace(guard.actions["book_flight"], spends=True)
    body = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}
    with served(airline.app, world.port):
        token = await world.caller.approved(await world.caller.ask("POST", "/bookings", json=body))
        airline.price = "1.00"
        with contextlib.closing(sqlite3.connect(tmp_path / "bank.db")) as elsewhere:
            elsewhere.execute("BEGIN IMMEDIATE")
            first = await world.caller.show(token, "POST", "/bookings", json=body)
        again = await world.caller.show(token, "POST", "/bookings", json=body)
    assert reason(first) == reason(again) == (401, "terms_changed")
    assert first.json().keys() & {"not_executed", "transaction_challenge"} == set()
    assert again.json().keys() >= {"not_executed", "transaction_challenge"}


async def test_guard_spend_finds_its_act_behind_the_greenlets_of_an_asynchronous_session(
    bank: Bank, world: World
) -> None:
    """`AsyncSession.run_sync` is SQLAlchemy's `greenlet_spawn` around a driver that this test does without."""
    engine = sqlalchemy.create_engine(f"sqlite:///{bank.folder / 'bank.db'}")

    async def run(*_: Any) -> Answer:
        with engine.begin() as connection:
            await greenlet_spawn(bank.guard.spend, connection)
        return Answer(201, b"{}")

    bank.guard.actions["transfer"] = replace(bank.guard.actions["transfer"], run=run, blocking=False)
    token, body = await world.token()
    assert (await world.show(token, body)).status_code == 201
    assert len(world.rows("oneact_spends")) == 1
    engine.dispose()


async def test_a_handler_that_leaves_its_transaction_to_a_dependency_is_in_progress_until_that_commits(
    world: World,
) -> None:
    access = Sqlite3(world.folder)
    settings: dict[str, Any] = {"name": "Bank", "key": world.folder / "air.jwk", "store": world.folder / "air.db"}
    guard = FastApiGuard(
        resource=world.caller.resource, account=lambda _: None, issuers=[world.server.issuer], spends=access.connect,
        **settings,
    )  # fmt: skip
    app = FastAPI()
    app.include_router(guard.router)

    async def opened() -> AsyncIterator[Any]:
        with contextlib.closing(sqlite3.connect(world.folder / "bank.db", check_same_thread=False)) as connection:
            yield connection
            connection.commit()

    @app.post("/transfers", status_code=201)
    @guard.action("transfer", intent="Transfer money", summary="Send it to {to}", deadline=1, spends=True)
    async def transfer(to: str, note: str, act: Act, connection: Annotated[Any, Depends(opened)]) -> dict[str, str]:
        guard.spend(connection)
        access.add(connection, {"txn": act.txn, "to": to})
        return {"sent": note}

    query = "/transfers?to=bob&note=n"
    with served(app, world.port):
        token = await world.caller.approved(await world.caller.ask("POST", query))
        assert reason(await world.caller.show(token, "POST", query)) == (409, "act_in_progress")
        answer = await world.caller.show(token, "POST", query)
        while reason(answer) == (409, "act_in_progress"):
            await asyncio.sleep(0.1)
            answer = await world.caller.show(token, "POST", query)
    assert reason(answer) == (409, "already_spent")
    assert len(world.rows()) == 1


async def test_an_own_store_that_is_down_after_the_commit_delays_the_answer_and_loses_nothing(
    bank: Bank, world: World
) -> None:
    token, body = await world.token()
    working, down = bank.guard.store.finish, [True]

    async def finish(key: SpendKey, outcome: Outcome) -> bool:
        if down:
            down.clear()
            raise Refusal(Reason.STORE_UNAVAILABLE, "down")
        return await working(key, outcome)

    bank.guard.store.finish = finish  # type: ignore[method-assign]  # the file is locked for a moment
    answer = await world.show(token, body)
    assert answer.status_code == 201
    assert await world.status(answer) == "executed"
    assert len(world.rows()) == 1


@pytest.mark.parametrize("spends", [1, 0])
async def test_a_database_that_is_silent_after_the_handler_does_not_lose_what_is_known(
    bank: Bank, world: World, spends: int
) -> None:
    file, away = bank.folder / "bank.db", bank.folder / "away"

    async def run(_: Any, __: Act) -> Answer:
        with bank.access.session() as opened:
            if spends:
                bank.guard.spend(opened)
        file.rename(away)
        asyncio.get_running_loop().call_later(0.05, away.replace, file)
        return Answer(201, b"{}")

    bank.guard.actions["transfer"] = replace(bank.guard.actions["transfer"], run=run, blocking=False)
    token, body = await world.token()
    answer = await world.show(token, body)
    assert answer.status_code == (201 if spends else 409)
    assert await world.status(answer) == ("executed" if spends else "unknown")


async def test_the_owners_database_is_asked_before_anything_runs_and_its_silence_is_503(
    bank: Bank, world: World
) -> None:
    token, body = await world.token()
    (bank.folder / "bank.db").rename(bank.folder / "away")
    assert reason(await world.show(token, body)) == (503, "store_unavailable")
    (bank.folder / "bank.db").unlink()
    (bank.folder / "away").rename(bank.folder / "bank.db")
    assert (await world.show(token, body)).status_code == 201


def guard_of(folder: Path, **more: Any) -> Guard:
    return Guard(
        resource="http://localhost:1", name="Bank", key=folder / "a.jwk", store=folder / "a.db",
        account=lambda _: None, issuers=[], **more,
    )  # fmt: skip


def test_an_action_that_spends_needs_a_database_to_look_in(tmp_path: Path) -> None:
    guard = guard_of(tmp_path)
    declare = guard.asgi("transfer", intent="Transfer", summary="Send to {to}", schema=SCHEMA, spends=True)
    with pytest.raises(ValueError, match="spends="):
        declare(lambda parameters, act: None)  # noqa: ARG005 - a handler's arguments
    with pytest.raises(RuntimeError):
        guard.spend(sqlite3.connect)
    with pytest.raises(ValueError, match="spends="):
        guard_of(tmp_path, spends=7)


def test_outside_of_a_handler_that_spends_there_is_nothing_to_spend(tmp_path: Path) -> None:
    guard = guard_of(tmp_path, spends=Sqlite3(tmp_path).connect)
    act = Act("alice", "txn", "transfer", {}, None, (), ISSUER, "client", "jkt")
    for given in (None, act):
        with pytest.raises(RuntimeError):
            guard.spend(Sqlite3(tmp_path).connect, given)


async def test_a_thread_of_the_handlers_own_names_the_act_and_is_refused_once_the_handler_has_ended(
    bank: Bank, world: World
) -> None:
    kept: list[Act] = []
    contexts: list[contextvars.Context] = []

    def work(act: Act) -> None:
        with bank.access.session() as opened:
            bank.guard.spend(opened, act)

    async def run(_: Any, act: Act) -> Any:
        kept.append(act)
        contexts.append(contextvars.copy_context())
        thread = threading.Thread(target=work, args=[act])
        thread.start()
        thread.join()
        return Answer(201, b"{}")

    bank.guard.actions["transfer"] = replace(bank.guard.actions["transfer"], run=run, blocking=False)
    token, body = await world.token()
    assert (await world.show(token, body)).status_code == 201
    with pytest.raises(RuntimeError):
        work(kept[0])
    with pytest.raises(RuntimeError), bank.access.session() as opened:
        contexts[0].run(bank.guard.spend, opened)
    assert len(world.rows("oneact_spends")) == 1


async def test_who_loses_the_race_against_another_holder_learns_nothing(bank: Bank, world: World) -> None:
    async def run(_: Any, act: Act) -> Any:
        spend = spend_of(bank, act.txn)
        committed(bank, replace(spend, key=SpendKey(bank.resource, act.issuer, act.txn)))
        with bank.access.session() as opened:
            bank.guard.spend(opened)
        raise AssertionError

    bank.guard.actions["transfer"] = replace(bank.guard.actions["transfer"], run=run, blocking=False)
    token, body = await world.token()
    assert reason(await world.show(token, body)) == (401, "spent_by_another")


async def test_a_handler_that_swallows_the_conflict_is_not_believed(bank: Bank, world: World) -> None:
    async def run(_: Any, act: Act) -> Any:
        committed(bank, once(bank)._under_way[SpendKey(bank.resource, act.issuer, act.txn)].spend)
        with contextlib.suppress(Refusal), bank.access.session() as opened:
            bank.guard.spend(opened)
        return Answer(201, b"{}")

    bank.guard.actions["transfer"] = replace(bank.guard.actions["transfer"], run=run, blocking=False)
    token, body = await world.token()
    assert reason(await world.show(token, body)) == (409, "act_in_progress")  # of the run that did spend
    last = await world.settled(token, body)
    assert reason(last) == (409, "already_spent")
    assert "response" not in last.json()
    assert await world.status(last) == "executed"


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
