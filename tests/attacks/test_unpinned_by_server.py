"""The thief of the approval server's key, or a mistaken server, locks a person out of their own account for good."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from oneact.protocol import roster
from oneact.protocol.roster import Roster, SignedRoster
from oneact.testing import SoftwarePasskey
from tests.attacks.stage import FLIGHT, reason
from tests.service.airline import Airline
from tests.service.world import Caller

LAST = 2**53 - 1


async def bring(caller: Caller, later: Roster) -> httpx.Response:
    """Bring a roster that only the server's key has signed."""
    text = roster.sign_removal(later, caller.server.person.key)
    headers = {"Content-Type": "application/jwt"}
    return await caller.client.post(caller.resource + "/oneact/roster", content=text, headers=headers)


async def two_pinned(caller: Caller) -> tuple[Roster, SoftwarePasskey]:
    """Have the service pin a second passkey of the person; give the roster and the passkey."""
    person = caller.server.person
    second = SoftwarePasskey(person.passkey.rp_id, person.passkey.origin)
    old = person.roster(caller.resource)
    later = replace(old, seq=2, credentials=(*old.credentials, second.credential))
    signed = SignedRoster(later, person.passkey.get(later.challenge()))
    assert (await caller.client.post(caller.resource + "/oneact/roster", json=signed.members())).status_code == 204
    return later, second


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"credentials": ()}, "roster_malformed"),
        ({"credentials": (), "seq": LAST}, "roster_malformed"),
        ({"seq": LAST}, "roster_seq"),
    ],
)
async def test_it_is_refused_and_what_was_pinned_stays_pinned(
    caller: Caller, airline: Airline, changes: dict[str, Any], expected: str
) -> None:
    pinned, second = await two_pinned(caller)
    less = replace(pinned, seq=3, credentials=(second.credential,))
    assert reason(await bring(caller, replace(less, **changes))) == expected
    [kept] = await airline.guard.store.links("alice")
    assert kept.roster == pinned
    assert (await caller.act("POST", "/bookings", json=FLIGHT)).status_code == 201


async def test_with_the_one_that_has_to_be_left_the_person_ends_the_link(caller: Caller, airline: Airline) -> None:
    pinned, second = await two_pinned(caller)
    assert (await bring(caller, replace(pinned, seq=3, credentials=(second.credential,)))).status_code == 204
    assert reason(await bring(caller, replace(pinned, seq=4, credentials=()))) == "roster_malformed"
    caller.server.person.passkey = second
    body = {"action": "oneact.unlink", "parameters": {"issuer": caller.server.issuer}}
    assert (await caller.act("POST", "/oneact/act", json=body)).status_code == 200
    assert await airline.guard.store.links("alice") == []
