"""A handler that spends, and what stands around it: open transactions, late commits, silent databases, threads."""

import asyncio
import contextlib
import contextvars
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest
import sqlalchemy
from fastapi import Depends, FastAPI
from sqlalchemy.util import greenlet_spawn
from tests.service.airline import Airline
from tests.service.bank import SCHEMA, Bank, Sqlite3
from tests.service.banking import World, committed, once, reason, spend_of
from tests.service.world import ApprovalServer, eventually, served

from oneact.errors import Reason, Refusal
from oneact.service import Act, Answer, Guard
from oneact.service.fastapi import Guard as FastApiGuard
from oneact.service.store import owner
from oneact.service.store.contract import Outcome, SpendKey


def impatient(folder: Path) -> Callable[[], sqlite3.Connection]:
    """Give what connects to a bank's database and does not wait for others for long."""
    return lambda: sqlite3.connect(folder / "bank.db", timeout=0.1)


async def test_an_open_transaction_keeps_the_guard_from_saying_that_nothing_was_executed(
    bank: Bank, world: World
) -> None:
    token, body = await world.token()
    once(bank)._database = owner.OwnerDatabase(impatient(bank.folder))
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
    airline = Airline("asgi", world.port, server.issuer, tmp_path, spends=impatient(tmp_path))
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
    act = Act("alice", "txn", "transfer", {}, None, (), "http://localhost:8400", "client", "jkt")
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
