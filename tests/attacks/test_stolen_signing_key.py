"""The thief of the approval server's signing key makes tokens, with no approval or with one given for another act.

What is borrowed is real: the person's own passkey has signed it, a moment ago, for the thing that the case names.
"""

import time
from collections.abc import Callable
from typing import Any

import pytest

from oneact.protocol import action, approval, display, offer, token
from oneact.protocol.act import Act
from oneact.protocol.action import Action
from oneact.protocol.token import Approval
from oneact.testing import InProcessApprover, TestAgent
from tests.attacks.played import played
from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "no approval", "statement_malformed"),
        ("check", "an unpinned passkey", "passkey_not_pinned"),
        ("check", "a forged assertion", "assertion_signature"),
        ("check", "another item", "statement_item"),
        ("check", "terms nobody stated", "txn_foreign"),
        ("check", "a statement to another agent", "statement_client"),
        ("check", "a statement to another key", "statement_key"),
        ("check", "another transaction's item", "statement_item"),
        ("check", "another person's item", "statement_item"),
        ("check", "an assertion over another statement", "assertion_challenge"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason


class Theft:
    """What the thief wants done, and what the person really approves."""

    def __init__(self, person: InProcessApprover, agent: TestAgent, document: dict[str, Any], wanted: str) -> None:
        self.person, self.agent = person, agent
        self.document, self.described = document, action.parse(document)
        self.offered, _ = offer.parse(wanted)
        self.now = int(time.time())
        self.approved_txn = ""

    def really_approved(self, act: Act, described: Action, agent: TestAgent, txn: str) -> Approval:
        """Give what the person's passkey signs for an act of theirs."""
        self.approved_txn = txn
        statement = self.person.statement(act, described, agent, self.now, txn)
        return Approval(statement, self.person.passkey.get(statement.challenge()))

    def batch(self, *acts: tuple[Act, str]) -> Approval:
        """Give what the person's passkey signs for several acts at once."""
        items = []
        for act, txn in acts:
            lines = display.digest(display.render(self.described, act.parameters or {}, act.terms))
            items.append(approval.item_hash(act.location, self.person.sub, txn, act.digest, lines))
        one = self.person.statement(self.offered.act, self.described, self.agent, self.now, self.offered.txn)
        statement = one._replace(acts=tuple(items), exp=self.now + approval.LIFETIME_BATCH)
        return Approval(statement, self.person.passkey.get(statement.challenge()))

    def forged(self, borrowed: Approval, **changes: Any) -> str:
        """Sign, with the stolen key, a token for what the thief wants."""
        claims = self.person.token(self.offered.act, self.agent, self.now, self.offered.txn, borrowed)
        return token.sign(claims._replace(**changes), self.person.key)


@pytest.fixture
async def theft(caller: Caller) -> Theft:
    wanted = await caller.ask("POST", "/bookings", json=FLIGHT)
    return Theft(caller.server.person, caller.agent, await caller.document("book_flight"), wanted)


async def another_act(theft: Theft, caller: Caller, _: Airline) -> Approval:
    other, _parsed = offer.parse(await caller.ask("POST", "/bookings", json={**FLIGHT, "to": "LAX"}))
    return theft.really_approved(other.act, theft.described, theft.agent, other.txn)


async def another_service(theft: Theft, _: Caller, __: Airline) -> Approval:
    elsewhere = theft.offered.act._replace(location="https://other.example")
    assert elsewhere.digest != theft.offered.act.digest
    return theft.really_approved(elsewhere, theft.described, theft.agent, theft.offered.txn)


async def another_amount(theft: Theft, caller: Caller, airline: Airline) -> Approval:
    airline.price = "1.00"
    cheap, _ = offer.parse(await caller.ask("POST", "/bookings", json=FLIGHT))
    airline.price = "312.00"
    assert cheap.act.terms != theft.offered.act.terms
    return theft.really_approved(cheap.act, theft.described, theft.agent, cheap.txn)


async def another_offer(theft: Theft, caller: Caller, _: Airline) -> Approval:
    again, _parsed = offer.parse(await caller.ask("POST", "/bookings", json=FLIGHT))
    assert again.act == theft.offered.act
    return theft.really_approved(again.act, theft.described, theft.agent, again.txn)


async def another_description(theft: Theft, _: Caller, __: Airline) -> Approval:
    shown = action.parse({**theft.document, "summary": "Look at flights"})
    return theft.really_approved(theft.offered.act, shown, theft.agent, theft.offered.txn)


async def another_agent(theft: Theft, _: Caller, __: Airline) -> Approval:
    honest = TestAgent("the persons own agent")
    return theft.really_approved(theft.offered.act, theft.described, honest, theft.offered.txn)


async def another_key_of_that_agent(theft: Theft, _: Caller, __: Airline) -> Approval:
    honest = TestAgent(theft.agent.client_id)
    return theft.really_approved(theft.offered.act, theft.described, honest, theft.offered.txn)


async def another_batch_item(theft: Theft, caller: Caller, _: Airline) -> Approval:
    offers = [offer.parse(await caller.ask("POST", "/bookings", json={**FLIGHT, "to": to}))[0] for to in ("LAX", "SEA")]
    return theft.batch(*((other.act, other.txn) for other in offers))


@pytest.mark.parametrize(
    ("borrow", "reason"),
    [
        (another_act, "statement_item"),
        (another_service, "statement_item"),
        (another_amount, "statement_item"),
        (another_offer, "statement_item"),
        (another_description, "statement_item"),
        (another_agent, "statement_client"),
        (another_key_of_that_agent, "statement_key"),
        (another_batch_item, "statement_item"),
    ],
)
async def test_a_real_approval_for_something_else_is_refused(
    theft: Theft, caller: Caller, airline: Airline, borrow: Callable[..., Any], reason: str
) -> None:
    borrowed = await borrow(theft, caller, airline)
    answer = await caller.show(theft.forged(borrowed), "POST", "/bookings", json=FLIGHT)
    assert told(answer) == (401, reason, 9)
    assert airline.books.all() == []


@pytest.mark.parametrize("borrow", [another_act, another_amount])
async def test_its_own_transaction_does_not_lend_it_to_this_act(
    theft: Theft, caller: Caller, airline: Airline, borrow: Callable[..., Any]
) -> None:
    """The identifier that the person approved was made for the other act, and check 7 sees that."""
    borrowed = await borrow(theft, caller, airline)
    answer = await caller.show(theft.forged(borrowed, txn=theft.approved_txn), "POST", "/bookings", json=FLIGHT)
    assert told(answer) == (401, "txn_foreign", 7)
    assert airline.books.all() == []


async def test_with_what_the_person_did_approve_the_same_token_is_good(theft: Theft, caller: Caller) -> None:
    """The thief's tokens fail for what is borrowed, and for nothing else."""
    approved = theft.really_approved(theft.offered.act, theft.described, theft.agent, theft.offered.txn)
    answer = await caller.show(theft.forged(approved), "POST", "/bookings", json=FLIGHT)
    assert answer.status_code == 201


async def test_with_its_own_item_in_the_batch_the_same_token_is_good(theft: Theft, caller: Caller) -> None:
    other, _ = offer.parse(await caller.ask("POST", "/bookings", json={**FLIGHT, "to": "LAX"}))
    approved = theft.batch((other.act, other.txn), (theft.offered.act, theft.offered.txn))
    answer = await caller.show(theft.forged(approved), "POST", "/bookings", json=FLIGHT)
    assert answer.status_code == 201
