"""A token is taken to another service, shown by another agent, or turned upon another person's account."""

import asyncio
import time
from pathlib import Path

import pytest

from oneact.errors import Reason
from oneact.protocol import offer, token
from oneact.testing import InProcessApprover, TestAgent
from tests.attacks.played import played
from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.conftest import link
from tests.service.world import ApprovalServer, Caller


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "another service's token", "token_audience"),
        ("check", "another proof's key", "proof_binding"),
        ("check", "nobody linked", "account_not_linked"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason


@pytest.fixture
def bob(caller: Caller, airline: Airline, tmp_path: Path) -> InProcessApprover:
    """Someone else at the same approval server, who has linked the airline's account `bob`."""
    found = InProcessApprover(caller.server.issuer, sub="pairwise-of-bob", key=caller.server.person.key)
    elsewhere = ApprovalServer(caller.server.issuer)
    elsewhere.person = found
    asyncio.run(link(tmp_path, airline.resource, elsewhere, "bob"))
    return found


async def test_a_token_is_for_its_own_persons_account_whoever_is_linked_beside(
    caller: Caller, airline: Airline, bob: InProcessApprover
) -> None:
    assert (await caller.act("POST", "/bookings", json=FLIGHT)).status_code == 201
    caller.server.person = bob
    assert (await caller.act("POST", "/bookings", json=FLIGHT)).status_code == 201
    assert [account for _, account, _ in airline.books.all()] == ["alice", "bob"]


async def test_an_agent_that_has_another_persons_token_has_not_the_key_for_it(
    caller: Caller, airline: Airline, bob: InProcessApprover
) -> None:
    stolen = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    caller.server.person, caller.agent = bob, TestAgent("the agent of Bob")
    assert told(await caller.show(stolen, "POST", "/bookings", json=FLIGHT)) == (401, "proof_binding", 5)
    assert airline.books.all() == []


@pytest.mark.parametrize("thief", ["the server", "its key"])
async def test_an_approval_for_one_account_does_not_run_for_another_that_is_linked(
    caller: Caller, airline: Airline, bob: InProcessApprover, thief: str
) -> None:
    """Alice approves; the token says that it was Bob. Or it says so all through, and only her passkey does not."""
    challenge, alice = await caller.ask("POST", "/bookings", json=FLIGHT), caller.server.person
    if thief == "the server":  # it asks Alice in the name of Bob
        alice.sub = bob.sub
        forged = await caller.approved(challenge)
    else:
        forged = await caller.approved(challenge, sub=bob.sub)
    reason = Reason.PASSKEY_NOT_PINNED if thief == "the server" else Reason.STATEMENT_ITEM
    answer = await caller.show(forged, "POST", "/bookings", json=FLIGHT)
    assert told(answer) == (401, reason.value, reason.check)
    assert airline.books.all() == []


async def test_a_passkey_of_one_person_beside_that_of_another_fails_the_token(
    caller: Caller, airline: Airline, bob: InProcessApprover
) -> None:
    """One approval that fails fails the token: Alice's own yes does not carry Bob's along."""
    challenge, alice = await caller.ask("POST", "/bookings", json=FLIGHT), caller.server.person
    good = token.parse(await caller.approved(challenge))[0]
    alice.passkey, kept = bob.passkey, alice.passkey
    planted = token.parse(await caller.approved(challenge))[0]
    alice.passkey = kept
    both = planted._replace(approvals=[*good.approvals, *planted.approvals])  # type: ignore[misc]
    answer = await caller.show(token.sign(both, alice.key), "POST", "/bookings", json=FLIGHT)
    assert told(answer) == (401, "passkey_not_pinned", 10)
    assert offer.parse(challenge)[0].exp > time.time()
    assert airline.books.all() == []
