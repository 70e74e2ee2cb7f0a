"""The contract of the service's store, and what SQLite makes of races and broken files."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service import journal
from oneact.service.store.contract import Holder, Kept, Link, LinkState, Outcome, Spend, SpendKey, State, Store
from oneact.service.store.sqlite import SqliteStore, migrations
from oneact.testing import InProcessApprover

KEY = SpendKey("http://localhost:1", "http://localhost:8400", "txn")
SPEND = Spend(KEY, Holder("sub", "client", "jkt", "digest"), "jti", "alice", "do", 100, 130)
RESOURCE = "http://localhost:1"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    found = SqliteStore(tmp_path / "s.db")
    await found.open()
    yield found
    await found.close()


def modes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


def outcome(state: State, receipt: str = "r", kept: Kept | None = None) -> Outcome:
    return Outcome(state, receipt, 101, kept)


async def test_of_many_spends_of_one_key_one_stands(store: Store, tmp_path: Path) -> None:
    other = SqliteStore(tmp_path / "s.db")
    await other.open()
    tries = [replace(SPEND, jti=f"jti{number}") for number in range(20)]
    won = await asyncio.gather(*((store, other)[number % 2].spend(item) for number, item in enumerate(tries)))
    assert sum(won) == 1
    assert await other.find_spend(KEY) == tries[won.index(True)]
    await other.close()


async def test_a_spend_of_another_service_issuer_or_transaction_is_another(store: Store) -> None:
    for key in (KEY, KEY._replace(aud="b"), KEY._replace(iss="b"), KEY._replace(txn="b")):
        assert await store.spend(replace(SPEND, key=key))


@pytest.mark.parametrize("state", ["executed", "failed", "unknown"])
async def test_an_outcome_is_kept_with_its_answer(store: Store, state: State) -> None:
    kept = Kept(201, "application/json", b"{}", b"s" * 16)
    await store.spend(SPEND)
    assert await store.finish(KEY, outcome(state, kept=kept))
    assert await store.find_spend(KEY) == replace(SPEND, state=state, receipt="r", kept=kept)


@pytest.mark.parametrize("first", ["executed", "failed", "unknown"])
@pytest.mark.parametrize("second", ["spent", "executed", "failed", "unknown"])
async def test_one_later_outcome_may_stand_in_place_of_unknown_and_of_nothing_else(
    store: Store, first: State, second: State
) -> None:
    await store.spend(SPEND)
    await store.finish(KEY, outcome(first, "first"))
    allowed = first == "unknown" and second in {"executed", "failed"}
    assert await store.finish(KEY, outcome(second, "second")) is allowed
    found = await store.find_spend(KEY)
    assert found is not None
    assert found.receipt == ("second" if allowed else "first")


async def test_what_was_never_spent_is_not_finished(store: Store) -> None:
    assert not await store.finish(KEY, outcome("executed"))
    assert await store.claim_deliveries(1000, 2000) == []


async def test_spends_past_their_deadline_are_overdue_until_finished(store: Store) -> None:
    await store.spend(SPEND)
    assert await store.overdue(130) == []
    assert await store.overdue(131) == [SPEND]
    await store.finish(KEY, outcome("unknown"))
    assert await store.overdue(131) == []


async def test_a_receipt_is_delivered_once_among_several_and_again_until_it_arrives(store: Store) -> None:
    await store.spend(SPEND)
    await store.finish(KEY, outcome("unknown", "old"))
    (claimed,) = await store.claim_deliveries(101, 131)
    assert await store.claim_deliveries(101, 131) == []
    await store.postpone(claimed, 110)
    (again,) = await store.claim_deliveries(110, 140)
    assert again.attempts == 1
    await store.finish(KEY, outcome("executed", "new"))
    await store.delivered(again)  # the old one arrived, the new one is still to go
    (newer,) = await store.claim_deliveries(110, 140)
    assert newer.receipt == "new"
    await store.delivered(newer)
    assert await store.claim_deliveries(1000, 2000) == []


async def test_spends_are_forgotten_only_when_finished_and_delivered(store: Store) -> None:
    await store.spend(SPEND)
    await store.forget_spends(1000)
    assert await store.find_spend(KEY) is not None
    await store.finish(KEY, outcome("executed"))
    await store.forget_spends(1000)
    assert await store.find_spend(KEY) is not None
    (due,) = await store.claim_deliveries(101, 131)
    await store.delivered(due)
    await store.forget_spends(100)
    assert await store.find_spend(KEY) is not None
    await store.forget_spends(101)
    assert await store.find_spend(KEY) is None


async def test_a_person_has_one_account_and_an_account_one_link(store: Store) -> None:
    one, other = InProcessApprover(sub="one"), InProcessApprover(sub="other")
    assert await store.link(Link("alice", one.roster(RESOURCE), 1))
    assert not await store.link(Link("bob", one.roster(RESOURCE), 1))
    assert not await store.link(Link("alice", other.roster(RESOURCE), 1))
    assert await store.links("alice") == [Link("alice", one.roster(RESOURCE), 1)]
    assert await store.find_link(one.issuer, "one") == Link("alice", one.roster(RESOURCE), 1)
    assert await store.find_link(one.issuer, "other") is None
    found = await store.account(one.issuer, "one")
    assert found is not None
    assert (found.id, found.approvers[0].roster) == ("alice", one.roster(RESOURCE))
    assert await store.account(one.issuer, "other") is None
    assert await store.issuer_is_linked(one.issuer)
    assert await store.unlink("alice", one.issuer, 2)
    assert not await store.unlink("alice", one.issuer, 2)
    assert not await store.issuer_is_linked(one.issuer)


async def test_only_a_newer_roster_is_pinned(store: Store) -> None:
    person = InProcessApprover()
    await store.link(Link("alice", person.roster(RESOURCE, 3), 1))
    assert not await store.pin(person.roster(RESOURCE, 3), 3, 2)
    assert await store.pin(person.roster(RESOURCE, 4), 3, 2)
    assert not await store.pin(person.roster(RESOURCE, 2), 4, 2)


async def test_a_roster_is_not_pinned_over_another_than_the_one_it_was_held_against(store: Store) -> None:
    person = InProcessApprover()
    await store.link(Link("alice", person.roster(RESOURCE, 1), 1))
    assert await store.pin(person.roster(RESOURCE, 2), 1, 2)
    assert not await store.pin(person.roster(RESOURCE, 9), 1, 2)
    [link] = await store.links("alice")
    assert link.roster.seq == 2


async def test_of_many_rosters_that_follow_the_same_one_a_single_one_is_pinned(store: Store, tmp_path: Path) -> None:
    person, other = InProcessApprover(), SqliteStore(tmp_path / "s.db")
    await other.open()
    await store.link(Link("alice", person.roster(RESOURCE, 1), 1))
    tries = ((store, other)[seq % 2].pin(person.roster(RESOURCE, seq), 1, 2) for seq in range(2, 22))
    assert sum(await asyncio.gather(*tries)) == 1
    assert [entry.kind.value for entry in await store.journal(0, 99)] == ["linked", "roster_pinned"]
    await other.close()


async def test_of_two_callers_one_takes_a_state(store: Store) -> None:
    state = LinkState("s", "session", "alice", "Alice", "https://a.example", "n", "v", 700)
    await store.keep_state(state)
    assert sorted(await asyncio.gather(store.take_state("s"), store.take_state("s")), key=bool) == [None, state]
    await store.keep_state(state)
    await store.keep_state(replace(state, state="later", expires=1301))
    assert await store.take_state("s") is None


async def test_a_description_outlives_its_release(store: Store) -> None:
    await store.keep_action("digest", {"action": "do"}, 1)
    await store.keep_action("digest", {"action": "do"}, 2)
    assert await store.find_action("digest") == {"action": "do"}
    assert await store.find_action("other") is None


async def test_what_is_written_is_there_after_reopening(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "s.db")
    await first.open()
    await first.spend(SPEND)
    await first.close()
    await first.open()
    assert await first.find_spend(KEY) == SPEND
    await first.close()


async def test_only_its_owner_reads_the_file_and_its_journals(store: Store, tmp_path: Path) -> None:
    await store.spend(SPEND)
    assert modes(tmp_path) == {"s.db": 0o600, "s.db-wal": 0o600, "s.db-shm": 0o600}


async def test_a_store_that_is_not_open_or_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"no database at all" * 100)
    broken = SqliteStore(tmp_path / "broken.db")
    for attempt in (broken.find_spend(KEY), broken.open()):
        with pytest.raises(Refusal) as caught:
            await attempt
        assert caught.value.reason is Reason.STORE_UNAVAILABLE
    await broken.close()


async def test_a_database_that_stays_locked_is_unavailable(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oneact.service.store.sqlite._BUSY_SECONDS", 0.05)
    impatient = SqliteStore(tmp_path / "s.db")
    await impatient.open()
    assert isinstance(store, SqliteStore)
    blocked = asyncio.Event()
    loop, held = asyncio.get_running_loop(), asyncio.Event()

    def hold() -> None:
        with store._transaction():
            loop.call_soon_threadsafe(held.set)
            asyncio.run_coroutine_threadsafe(blocked.wait(), loop).result()

    holding = asyncio.create_task(store._run(hold))
    await held.wait()
    with pytest.raises(Refusal) as caught:
        await impatient.spend(SPEND)
    assert caught.value.reason is Reason.STORE_UNAVAILABLE
    blocked.set()
    await holding
    assert await impatient.spend(SPEND)
    await impatient.close()


async def test_every_change_stands_in_the_journal_and_nothing_else_does(store: Store) -> None:
    person = InProcessApprover()
    proof = person.signed_roster(RESOURCE).webauthn.members()
    await store.link(Link("alice", person.roster(RESOURCE), 90, proof))
    assert not await store.link(Link("alice", person.roster(RESOURCE), 91))
    await store.spend(replace(SPEND, token="a.b.c"))
    assert not await store.spend(replace(SPEND, token="d.e.f"))
    await store.finish(KEY, outcome("executed", "receipt"))
    assert not await store.finish(KEY, outcome("failed", "another"))
    await store.pin(person.roster(RESOURCE, 2), 1, 102, "a.jws.text")
    assert not await store.pin(person.roster(RESOURCE, 2), 2, 103)
    await store.unlink("alice", person.issuer, 104)
    assert not await store.unlink("alice", person.issuer, 105)
    entries = await store.journal(0, 100)
    assert journal.check(entries) == entries[-1]
    assert [(entry.kind.value, entry.at) for entry in entries] == [
        ("linked", 90), ("spent", 100), ("finished", 101), ("roster_pinned", 102), ("unlinked", 104)
    ]  # fmt: skip
    linked, spent, finished, pinned, unlinked = [entry.content or {} for entry in entries]
    assert (linked["roster"], linked["proof"]) == (person.roster(RESOURCE).members(), proof)
    assert (spent["txn"], spent["token"], spent["jkt"]) == ("txn", "a.b.c", "jkt")
    assert (finished["state"], finished["receipt"]) == ("executed", "receipt")
    assert (pinned["account"], pinned["proof"]) == ("alice", "a.jws.text")
    assert unlinked["roster"] == pinned["roster"] == person.roster(RESOURCE, 2).members()
    assert [entry.seq for entry in await store.journal(1, 3)] == [2, 3, 4]


async def test_the_journal_keeps_spends_that_are_forgotten(store: Store) -> None:
    await store.spend(SPEND)
    await store.finish(KEY, outcome("executed"))
    (due,) = await store.claim_deliveries(101, 131)
    await store.delivered(due)
    await store.forget_spends(1000)
    assert await store.find_spend(KEY) is None
    assert [entry.kind.value for entry in await store.journal(0, 100)] == ["spent", "finished"]


async def test_two_processes_write_one_chain(store: Store, tmp_path: Path) -> None:
    """Rounds of two writers, until in one of them their entries stand between each other: the chain holds in each."""
    entries: list[journal.JournalEntry] = []
    for number in range(20):
        before = len(entries)
        await _two_writers(tmp_path / "s.db", f"one{number}", f"other{number}")
        entries = await store.journal(0, 100_000)
        assert journal.check(entries) == entries[-1]
        assert len(entries) - before == 1200
        names = [str((entry.content or {})["txn"]).partition(" ")[0] for entry in entries[before:]]
        if sum(left != right for left, right in pairwise(names)) > 1:
            return
    raise AssertionError("in no round did they race")


async def _two_writers(database: Path, *names: str) -> None:
    """Let two processes spend and finish 300 acts each, from the same moment on."""
    command = [sys.executable, "-m", "tests.service.spending", str(database)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    writers = [await asyncio.create_subprocess_exec(*command, name, "300", **pipes) for name in names]
    assert [await writer.stdout.readline() for writer in writers if writer.stdout] == [b"ready\n", b"ready\n"]
    await asyncio.gather(*(writer.communicate(b"go\n") for writer in writers))
    assert [writer.returncode for writer in writers] == [0, 0]


async def test_the_journal_begins_with_what_was_there_before_it(tmp_path: Path) -> None:
    person = InProcessApprover()
    file = sqlite3.connect(tmp_path / "old.db")
    number, text = migrations()[0]
    file.executescript(text)
    file.execute(f"PRAGMA user_version={number}")
    roster = canonical.encode(person.roster(RESOURCE).members()).decode()
    file.execute("INSERT INTO links VALUES (?, ?, 'alice', ?, 1, 90)", (person.issuer, person.sub, roster))
    for txn, state, receipt in (("running", "spent", None), ("done", "executed", "r")):
        file.execute(
            "INSERT INTO spends VALUES (?, ?, ?, 'jti', 'sub', 'client', 'jkt', 'digest', 'alice', 'do', 100, 130, ?,"
            " 101, ?, NULL, NULL, NULL, NULL)",
            (*KEY[:2], txn, state, receipt),
        )
    file.commit()
    file.close()
    store = SqliteStore(tmp_path / "old.db")
    await store.open()
    await store.open()
    entries = await store.journal(0, 100)
    assert journal.check(entries) == entries[-1]
    assert [entry.kind.value for entry in entries] == ["linked", "spent", "finished", "spent"]
    assert [(entry.content or {}).get("txn") for entry in entries] == [None, "done", "done", "running"]
    await store.close()
