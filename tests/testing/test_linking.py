"""An in-process approver linked to a guard under test."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from oneact.errors import Reason, Refusal
from oneact.protocol import metadata
from oneact.service import LINKED, Guard
from oneact.testing import InProcessApprover, TestAgent


def made(folder: Path, **changes: Any) -> Guard:
    settings: dict[str, Any] = {
        "resource": "http://localhost:1", "name": "Air", "key": folder / "k.jwk", "store": folder / "s.db",
        "account": lambda _: None, "issuers": ["http://localhost:8400"],
    }  # fmt: skip
    return Guard(**(settings | changes))


async def linked(guard: Guard, account: str) -> list[str]:
    """Give the persons to which an account is linked."""
    await guard.store.open()
    found = await guard.store.links(account)
    await guard.store.close()
    return [f"{link.roster.sub} {link.roster.credentials[0].id}" for link in found]


def test_a_linked_account_is_linked_to_the_approvers_passkey(tmp_path: Path) -> None:
    guard, approver = made(tmp_path, issuers=LINKED), InProcessApprover()
    approver.link(guard, "ada")
    assert asyncio.run(linked(guard, "ada")) == [f"{approver.sub} {approver.passkey.id}"]


def test_a_later_test_links_anew_whatever_an_earlier_one_left(tmp_path: Path) -> None:
    guard, first, second = made(tmp_path), InProcessApprover(), InProcessApprover()
    other = InProcessApprover(sub="another")
    first.link(guard, "ada")
    second.link(guard, "bob")
    other.link(guard, "ada")
    other.link(guard, "bob")
    assert asyncio.run(linked(guard, "ada")) == []
    assert asyncio.run(linked(guard, "bob")) == [f"another {other.passkey.id}"]


async def test_within_an_event_loop_both_ways_link(tmp_path: Path) -> None:
    guard, approver = made(tmp_path), InProcessApprover()
    approver.link(guard, "ada")
    await approver.link_async(guard, "ada")
    assert len(await linked(guard, "ada")) == 1


async def test_the_guard_finds_the_approvers_keys_in_memory_and_fetches_all_others(tmp_path: Path) -> None:
    guard, approver = made(tmp_path), InProcessApprover()
    again = InProcessApprover(approver.issuer)
    await approver.link_async(guard, "ada")
    assert list(await guard.issuers.keys(approver.issuer)) == [approver.key.public.thumbprint]
    await again.link_async(guard, "ada")
    assert list(await guard.issuers.keys(approver.issuer, refresh=True)) == [again.key.public.thumbprint]
    await guard.store.close()
    elsewhere = metadata.well_known("http://localhost:9", metadata.SERVER_PATH)
    for fetched in (guard.issuers.documents.get_json, guard.issuers.documents.refresh):
        with pytest.raises(Refusal) as refused:
            await fetched(elsewhere)
        assert refused.value.reason is Reason.METADATA_UNREACHABLE


def test_a_guard_that_is_not_on_localhost_is_left_alone(tmp_path: Path) -> None:
    guard = made(tmp_path, resource="https://air.example", issuers=LINKED)
    with pytest.raises(ValueError, match=r"localhost only, and the guard stands for https://air\.example"):
        InProcessApprover().link(guard, "ada")
    assert not (tmp_path / "s.db").exists()


def test_a_guard_that_does_not_accept_the_approver_is_left_alone(tmp_path: Path) -> None:
    guard = made(tmp_path, issuers=["https://approve.example"])
    with pytest.raises(ValueError, match="does not accept http://localhost:8400"):
        InProcessApprover().link(guard, "ada")


def test_an_account_linked_elsewhere_is_told(tmp_path: Path) -> None:
    guard = made(tmp_path, issuers=LINKED)
    InProcessApprover("http://localhost:8401").link(guard, "ada")
    with pytest.raises(ValueError, match="'ada' is linked to another approval server"):
        InProcessApprover().link(guard, "ada")
    asyncio.run(guard.store.close())


def test_an_offer_of_an_action_that_is_not_among_those_given_is_told(tmp_path: Path) -> None:
    guard, approver = made(tmp_path), InProcessApprover()
    action = guard.actions["oneact.unlink"].action
    challenge = guard.offers.make(action, {"issuer": approver.issuer}, None, approver.issuer, guard.now())
    published = {"actions": [action.document]}
    assert approver.approve(challenge, published, TestAgent(), guard.now()).count(".") == 2
    with pytest.raises(ValueError, match=r"an action oneact\.unlink that is not among those given"):
        approver.approve(challenge, {"actions": []}, TestAgent(), guard.now())
