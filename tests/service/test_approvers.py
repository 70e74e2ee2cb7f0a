"""Several people on one account: what the store and the settings hold of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from oneact.protocol import roster
from oneact.service import Beside, Guard, SqliteStore, approvers, journal
from oneact.service.store.contract import Link
from oneact.testing import InProcessApprover

RESOURCE = "http://localhost:1"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A store in which `alice` is linked to one person."""
    found = SqliteStore(tmp_path / "s.db")
    await found.open()
    assert await found.link(of("first"))
    yield found
    await found.close()


def of(sub: str, account: str = "alice", seq: int = 1) -> Link:
    signed = InProcessApprover(sub=sub).signed_roster(RESOURCE, seq)
    return Link(account, signed.roster, 1, signed.webauthn.members())


async def propose(store: SqliteStore, link: Link, now: int = 100) -> bool:
    return await store.propose(link, approvers.code(link.roster), now, now + 600, 3)


async def admit(store: SqliteStore, link: Link, now: int = 100, most: int = 2) -> bool:
    return await store.admit(link.account, link.roster.iss, approvers.code(link.roster), now, most)


async def test_who_is_admitted_is_an_approver_with_the_roster_that_was_kept(store: SqliteStore) -> None:
    second = of("second")
    assert await propose(store, second)
    assert [link.roster.sub for link in await store.links("alice")] == ["first"]
    assert await admit(store, second)
    assert {link.roster.sub for link in await store.links("alice")} == {"first", "second"}
    found = await store.account(second.roster.iss, "second")
    assert found is not None
    assert (found.id, len(found.approvers)) == ("alice", 2)


async def test_the_journal_holds_what_vouches_for_a_further_approver_and_their_end(store: SqliteStore) -> None:
    second = of("second")
    await propose(store, second)
    await admit(store, second)
    assert await store.remove_approver("alice", second.roster.iss, "second", 200)
    entries = await store.journal(0, 9)
    assert journal.check(entries) == entries[-1]
    assert [(entry.kind.value, entry.at) for entry in entries] == [("linked", 1), ("linked", 100), ("unlinked", 200)]
    content = entries[1].content or {}
    signed = roster.parse_signed({"roster": content["roster"], "webauthn": content["proof"]})
    roster.check_first(signed, second.roster.iss, RESOURCE, "second")


@pytest.mark.parametrize("now", [699, 700])
async def test_a_candidate_is_kept_up_to_its_end(store: SqliteStore, now: int) -> None:
    await propose(store, of("second"))
    assert await admit(store, of("second"), now) is (now < 700)


async def test_nobody_is_proposed_to_an_account_without_a_link_or_who_is_linked_or_kept(store: SqliteStore) -> None:
    await store.link(of("other", "bob"))
    assert not await propose(store, of("second", "carol"))
    assert not await propose(store, of("other"))
    assert await propose(store, of("second"))
    assert not await propose(store, of("second", seq=2))
    assert not await propose(store, of("second", "bob"))
    assert await propose(store, of("second", seq=2), 700)  # what was kept has expired


async def test_three_are_kept_for_an_account_at_a_time(store: SqliteStore) -> None:
    assert [await propose(store, of(f"person {number}")) for number in range(4)] == [True, True, True, False]
    assert await propose(store, of("person 3"), 700)


async def test_nobody_is_admitted_over_what_the_owner_allows_or_after_the_last_link_ended(store: SqliteStore) -> None:
    await propose(store, of("second"))
    await propose(store, of("third"))
    assert await admit(store, of("second"))
    assert not await admit(store, of("third"))
    await propose(store, of("third"))
    for link in await store.links("alice"):
        await store.unlink("alice", link.roster.iss, 100)
    assert not await admit(store, of("third"))
    assert await store.links("alice") == []


async def test_of_two_acts_that_name_the_same_one_admits(store: SqliteStore, tmp_path: Path) -> None:
    other = SqliteStore(tmp_path / "s.db")
    await other.open()
    await propose(store, of("second"))
    assert sorted(await asyncio.gather(admit(store, of("second")), admit(other, of("second")))) == [False, True]
    await other.close()


async def test_of_two_removals_at_once_one_approver_is_left(store: SqliteStore, tmp_path: Path) -> None:
    other = SqliteStore(tmp_path / "s.db")
    await other.open()
    second = of("second")
    await propose(store, second)
    await admit(store, second)
    removed = await asyncio.gather(
        store.remove_approver("alice", second.roster.iss, "first", 200),
        other.remove_approver("alice", second.roster.iss, "second", 200),
    )
    assert sorted(removed) == [False, True]
    assert len(await store.links("alice")) == 1
    await other.close()


@pytest.mark.parametrize("change", [{"approvers": 0}, {"approvers": 9}, {"issuers": Beside("http://localhost:2")}])
def test_what_could_not_work_is_told_when_the_guard_is_made(tmp_path: Path, change: dict[str, Any]) -> None:
    settings: dict[str, Any] = {
        "resource": RESOURCE, "name": "Air", "key": tmp_path / "k.jwk", "store": tmp_path / "s.db",
        "account": lambda _: None, "issuers": ["http://localhost:8400"], "approvers": 8,
    }  # fmt: skip
    assert Guard(**settings).approvers == 8
    with pytest.raises(ValueError, match="approvers="):
        Guard(**settings | change)


def test_two_persons_have_two_codes_and_a_later_roster_the_same() -> None:
    first, again, second = of("first").roster, of("first", seq=2).roster, of("second").roster
    assert approvers.code(first) == approvers.code(again)
    assert approvers.code(first) != approvers.code(second)
