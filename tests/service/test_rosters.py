"""Rosters that change: many in a row, two devices at once, and what a passkey that is gone has left behind."""

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from tests.service.airline import Airline
from tests.service.world import Caller

from oneact.protocol import roster
from oneact.protocol.roster import Roster, SignedRoster
from oneact.testing import SoftwarePasskey

FLIGHT: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}
LAST = 2**53 - 1


@dataclass
class Devices:
    """A person's devices, each with a passkey, and what the service has pinned of them last."""

    caller: Caller
    pinned: Roster = field(init=False)
    first: SoftwarePasskey = field(init=False)

    def __post_init__(self) -> None:
        self.first = self.caller.server.person.passkey
        self.pinned = self.caller.server.person.roster(self.caller.resource)

    def new(self) -> SoftwarePasskey:
        return SoftwarePasskey(self.first.rp_id, self.first.origin)

    def signed(self, signer: SoftwarePasskey, *passkeys: SoftwarePasskey, seq: int | None = None) -> SignedRoster:
        seq = self.pinned.seq + 1 if seq is None else seq
        later = replace(self.pinned, seq=seq, credentials=tuple(passkey.credential for passkey in passkeys))
        return SignedRoster(later, signer.get(later.challenge()))

    async def bring(self, signed: SignedRoster) -> httpx.Response:
        url = self.caller.resource + "/oneact/roster"
        return await self.caller.client.post(url, json=signed.members())

    async def pin(self, signer: SoftwarePasskey, *passkeys: SoftwarePasskey, seq: int | None = None) -> SignedRoster:
        signed = self.signed(signer, *passkeys, seq=seq)
        answer = await self.bring(signed)
        assert answer.status_code == 204, answer.text
        self.pinned = signed.roster
        return signed

    async def refused(self, signed: SignedRoster) -> str:
        answer = await self.bring(signed)
        assert answer.status_code >= 400, answer.text
        return str(answer.json()["reason"])

    async def removed(self, *passkeys: SoftwarePasskey, seq: int) -> httpx.Response:
        """Have the server alone take away all but these."""
        less = replace(self.pinned, seq=seq, credentials=tuple(passkey.credential for passkey in passkeys))
        text = roster.sign_removal(less, self.caller.server.person.key)
        headers = {"Content-Type": "application/jwt"}
        return await self.caller.client.post(self.caller.resource + "/oneact/roster", content=text, headers=headers)


@pytest.fixture
def devices(caller: Caller) -> Devices:
    return Devices(caller)


async def test_thirty_changes_in_a_row_end_with_the_last_and_each_has_its_entry(
    devices: Devices, airline: Airline
) -> None:
    held = [devices.first]
    for turn in range(30):  # each time the newest signs, another comes, and of three the oldest goes
        held = [*held, devices.new()][-3:]
        await devices.pin(held[-2], *held, seq=devices.pinned.seq + 1 + turn % 4)
    [link] = await airline.guard.store.links("alice")
    assert link.roster == devices.pinned
    devices.caller.server.person.passkey = held[-1]
    assert (await devices.caller.act("POST", "/bookings", json=FLIGHT)).status_code == 201
    entries = await airline.guard.store.journal(0, 100)
    assert sum(entry.kind.value == "roster_pinned" for entry in entries) == 30
    assert len([event for _, event in airline.notices if event == "passkeys_changed"]) == 30


async def test_one_roster_may_be_missed_as_long_as_a_pinned_passkey_signs_the_next(devices: Devices) -> None:
    second, third = devices.new(), devices.new()
    missed = devices.signed(devices.first, devices.first, second, seq=2)
    await devices.pin(devices.first, devices.first, second, third, seq=3)
    assert await devices.refused(missed) == "roster_seq"
    assert await devices.refused(devices.signed(devices.new(), devices.first, seq=4)) == "roster_unpinned"


async def test_of_two_devices_that_change_it_at_once_one_stands_and_the_other_is_told(
    devices: Devices, airline: Airline
) -> None:
    second = devices.new()
    await devices.pin(devices.first, devices.first, second)
    alone = [devices.signed(devices.first, devices.first), devices.signed(second, second, seq=4)]
    answers = await asyncio.gather(*(devices.bring(signed) for signed in alone))
    codes = [answer.status_code for answer in answers]
    assert sorted(codes) in ([204, 403], [204, 409])  # by whether the one was pinned before the other was read
    [link] = await airline.guard.store.links("alice")
    assert link.roster == alone[codes.index(204)].roster


async def test_a_roster_checked_against_one_that_has_been_replaced_is_not_pinned(
    devices: Devices, airline: Airline, monkeypatch: pytest.MonkeyPatch
) -> None:
    thief, store = devices.new(), airline.guard.store
    await devices.pin(devices.first, devices.first, thief)
    [stale] = await store.links("alice")
    kept = devices.signed(thief, thief, seq=LAST)
    await devices.pin(devices.first, devices.first)  # the person takes the stolen one away

    async def as_it_was(_iss: str, _sub: str) -> Any:
        return stale  # the look that came just before the removal

    with monkeypatch.context() as patched:
        patched.setattr(store, "find_link", as_it_was)
        assert await devices.refused(kept) == "roster_seq"
    assert await devices.refused(kept) == "roster_unpinned"
    [link] = await store.links("alice")
    assert link.roster == devices.pinned


async def test_what_a_passkey_signed_before_it_was_removed_is_worth_nothing(devices: Devices) -> None:
    thief, caller = devices.new(), devices.caller
    await devices.pin(devices.first, devices.first, thief)
    challenge = await caller.ask("POST", "/bookings", json=FLIGHT)
    caller.server.person.passkey = thief
    token = await caller.approved(challenge)
    prepared = [devices.signed(thief, thief, seq=seq) for seq in (devices.pinned.seq + 1, LAST)]
    await devices.pin(devices.first, devices.first)
    refused = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    assert (refused.json()["reason"], refused.json()["check"]) == ("passkey_not_pinned", 10)
    assert [await devices.refused(signed) for signed in prepared] == ["roster_seq", "roster_unpinned"]


async def test_an_old_roster_never_comes_back_with_its_passkeys(devices: Devices) -> None:
    second = devices.new()
    both = await devices.pin(devices.first, devices.first, second)
    await devices.pin(devices.first, devices.first)
    assert await devices.refused(both) == "roster_seq"
    first = devices.caller.server.person.signed_roster(devices.caller.resource)
    assert await devices.refused(first) == "roster_seq"


async def test_a_passkey_may_come_back_by_one_that_is_pinned(devices: Devices) -> None:
    second = devices.new()
    await devices.pin(devices.first, devices.first, second)
    await devices.pin(second, second)
    await devices.pin(second, second, devices.first)
    assert (await devices.caller.act("POST", "/bookings", json=FLIGHT)).status_code == 201


async def test_a_passkey_uses_the_last_number_and_then_only_unlinking_is_left(devices: Devices) -> None:
    await devices.pin(devices.first, devices.first, devices.new(), seq=LAST)
    assert await devices.refused(devices.signed(devices.first, devices.first, seq=LAST)) == "roster_seq"
    over = devices.signed(devices.first, devices.first, seq=LAST).members()
    text = str(over).replace(str(LAST), str(LAST + 1)).replace("'", '"')
    headers = {"Content-Type": "application/json"}
    url = devices.caller.resource + "/oneact/roster"
    answer = await devices.caller.client.post(url, content=text, headers=headers)
    assert answer.json()["reason"] == "json_number"
    body = {"action": "oneact.unlink", "parameters": {"issuer": devices.caller.server.issuer}}
    assert (await devices.caller.act("POST", "/oneact/act", json=body)).status_code == 200


async def test_the_server_alone_keeps_within_its_bound_above_clock_and_pinned_seq(devices: Devices) -> None:
    kept = [devices.first, devices.new(), devices.new()]
    await devices.pin(devices.first, *kept)
    now = int(time.time())
    far = await devices.removed(*kept[:2], seq=now + 400)
    assert (far.status_code, far.json()["reason"]) == (409, "roster_seq")
    assert (await devices.removed(*kept[:2], seq=now + 300)).status_code == 204
    devices.pinned = replace(devices.pinned, seq=now + 300)
    beyond = await devices.removed(*kept[:1], seq=now + 900)
    assert beyond.json()["reason"] == "roster_seq"
    assert (await devices.removed(*kept[:1], seq=now + 600)).status_code == 204


async def test_a_removal_that_crosses_with_a_change_does_not_undo_it(
    devices: Devices, airline: Airline, monkeypatch: pytest.MonkeyPatch
) -> None:
    second, third, store = devices.new(), devices.new(), airline.guard.store
    await devices.pin(devices.first, devices.first, second)
    [stale] = await store.links("alice")
    before = devices.pinned
    await devices.pin(devices.first, devices.first, third)

    async def as_it_was(_iss: str, _sub: str) -> Any:
        return stale

    devices.pinned, now = before, int(time.time())
    with monkeypatch.context() as patched:
        patched.setattr(store, "find_link", as_it_was)
        assert (await devices.removed(second, seq=now)).json()["reason"] == "roster_seq"
    assert (await devices.removed(second, seq=now)).json()["reason"] == "roster_not_subset"
