"""The example bank: what is signed is who is paid and how much, and the fee the bank stated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from examples.pay.agent import pay
from examples.pay.app import TOLERANCE, Books, create_app

from oneact.agent import Agent, Refused, TermsChanged
from tests.examples.conftest import Place, bend, deciding, linked, paired, running, shows_an_approval
from tests.server.peers import RunningServer
from tests.server.visitor import Visitor

BAKERY, BOOKSHOP = "DE89370400440532013000", "FR1420041010050500013M02606"
NOBODY = "DE02120300000000202051"
BILL: dict[str, Any] = {
    "to": BAKERY,
    "amount": {"amount": "100.00", "currency": "EUR"},
    "reference": "Invoice 7",
}


@pytest.fixture
def bank(server: RunningServer, tmp_path: Path) -> Iterator[Place]:
    with running(create_app, server, tmp_path / "bank") as place:
        yield place


@pytest.fixture
def books(bank: Place) -> Books:
    return Books(bank.folder)


@pytest.fixture
def person(server: RunningServer, bank: Place) -> Visitor:
    return linked(server, bank)


@pytest.fixture
async def agent(server: RunningServer, person: Visitor, tmp_path: Path) -> AsyncIterator[Agent]:
    async with await Agent.open(server.url, key_file=paired(server, person, tmp_path / "agent.json")) as found:
        yield found


def costing(books: Books, euros: Decimal | str) -> None:
    books.do("UPDATE fee SET euros = ?", str(euros))


def never(changed: TermsChanged) -> bool:
    raise AssertionError(changed)


async def test_a_payment_is_shown_with_payee_and_amount_and_made_once(
    bank: Place, books: Books, person: Visitor, agent: Agent
) -> None:
    seen: list[str] = []
    async with deciding(person, "approve", seen.append):
        result = await pay(agent, bank.resource, BILL, never)
    for text in (BAKERY, "Ada Bakery GmbH", "100.00 EUR", "0.35 EUR", "100.35 EUR", "Invoice 7"):
        assert f">{text}<" in seen[0]
    assert result.receipt is not None
    assert result.receipt.status == "executed"
    assert result.json()["total"] == {"amount": "100.35", "currency": "EUR"}
    assert books.payments() == [("ada", BAKERY, "100.00", "0.35", "Invoice 7")]


@pytest.mark.parametrize(
    "change",
    [
        {"to": BOOKSHOP},
        {"amount": {"amount": "1000.00", "currency": "EUR"}},
        {"amount": {"amount": "100.01", "currency": "EUR"}},
        {"reference": "Invoice 8"},
    ],
)
async def test_what_was_signed_is_for_one_payee_one_amount_and_one_reference(
    bank: Place, books: Books, person: Visitor, agent: Agent, change: dict[str, Any]
) -> None:
    bend(agent, **change)
    async with deciding(person, "approve"):
        with pytest.raises(Refused) as refused:
            await pay(agent, bank.resource, BILL, never)
    assert refused.value.reason == "act_mismatch"
    assert books.payments() == []


@pytest.mark.parametrize("amount", ["100.0", "100", "0100.00", "100.000", "-1.00", "1e2"])
async def test_an_amount_has_one_form_and_in_another_it_is_no_amount(
    bank: Place, books: Books, person: Visitor, agent: Agent, amount: str
) -> None:
    with pytest.raises(Refused) as refused:
        await pay(agent, bank.resource, BILL | {"amount": {"amount": amount, "currency": "EUR"}}, never)
    assert refused.value.reason == "parameters_invalid"
    bend(agent, amount={"amount": amount, "currency": "EUR"})
    async with deciding(person, "approve"):
        with pytest.raises(Refused) as sent:
            await pay(agent, bank.resource, BILL, never)
    assert sent.value.reason == "parameters_invalid"
    assert books.payments() == []


async def test_who_holds_an_account_is_told_to_nobody_who_is_not_a_customer(bank: Place, server: RunningServer) -> None:
    headers = {"Accept-Txn-Challenge": f'?1;as="{server.url}"'}
    async with httpx.AsyncClient(base_url=bank.resource, headers=headers) as anyone:
        answers = [await anyone.post("/payments", json=BILL | {"to": to}) for to in (BAKERY, NOBODY)]
    assert {(answer.status_code, answer.json()["reason"]) for answer in answers} == {(401, "asking_token_required")}
    assert answers[0].content == answers[1].content
    assert "Bakery" not in answers[0].text


async def test_an_account_that_nobody_holds_reaches_no_person(bank: Place, person: Visitor, agent: Agent) -> None:
    with pytest.raises(Refused) as refused:
        await pay(agent, bank.resource, BILL | {"to": NOBODY}, never)
    assert refused.value.reason == "parameters_invalid"
    assert person.server.execute("SELECT * FROM requests") == []


async def test_a_fee_that_rose_within_the_banks_tolerance_still_stands_as_it_was_signed(
    bank: Place, books: Books, person: Visitor, agent: Agent
) -> None:
    async with deciding(person, "approve", lambda _: costing(books, Decimal("0.35") + TOLERANCE)):
        result = await pay(agent, bank.resource, BILL, never)
    assert result.json()["total"]["amount"] == "100.35"
    assert [row[3] for row in books.payments()] == ["0.35"]


async def test_a_fee_beyond_it_pays_nothing_and_asks_nobody_anew(
    bank: Place, books: Books, person: Visitor, agent: Agent
) -> None:
    async with deciding(person, "approve", lambda _: costing(books, Decimal("0.36") + TOLERANCE)):
        with pytest.raises(TermsChanged) as changed:
            await pay(agent, bank.resource, BILL, lambda _: False)
    assert changed.value.reason == "terms_changed"
    totals = [terms and terms["total"] for terms in (changed.value.approved, changed.value.terms)]
    assert totals == [{"amount": "100.35", "currency": "EUR"}, {"amount": "100.56", "currency": "EUR"}]
    assert books.payments() == []
    assert len(person.server.execute("SELECT id FROM requests")) == 1


async def test_an_author_may_ask_for_the_new_terms_and_the_person_approves_those(
    bank: Place, books: Books, person: Visitor, agent: Agent
) -> None:
    seen: list[str] = []

    def dearer(_: str) -> None:
        costing(books, "0.95")

    def wants(changed: TermsChanged) -> bool:
        assert changed.terms is not None
        return bool(changed.terms["total"] == {"amount": "100.95", "currency": "EUR"})

    paying = asyncio.create_task(pay(agent, bank.resource, BILL, wants))
    async with deciding(person, "approve", dearer):
        pass
    async with deciding(person, "approve", seen.append):
        await paying
    assert ">100.95 EUR<" in seen[0]
    assert [row[2:4] for row in books.payments()] == [("100.00", "0.95")]


async def test_the_key_of_an_approved_wish_is_not_taken_for_its_new_terms(
    bank: Place, books: Books, person: Visitor, agent: Agent
) -> None:
    async with deciding(person, "approve", lambda _: costing(books, "0.95")):
        with pytest.raises(TermsChanged):
            await agent.act(bank.resource, "pay", BILL, idempotency_key="bill-7")
    with pytest.raises(Refused) as refused:
        await agent.act(bank.resource, "pay", BILL, idempotency_key="bill-7")
    assert (refused.value.reason, refused.value.earlier) == ("idempotency_conflict", None)
    assert books.payments() == []


async def test_a_wish_that_was_done_is_not_done_again_by_new_terms_under_its_key(
    bank: Place, books: Books, person: Visitor, agent: Agent
) -> None:
    async with deciding(person, "approve"):
        done = await agent.act(bank.resource, "pay", BILL, idempotency_key="bill-7")
    costing(books, "0.95")
    with pytest.raises(Refused) as refused:
        await agent.act(bank.resource, "pay", BILL, idempotency_key="bill-7")
    assert (refused.value.reason, refused.value.earlier) == ("idempotency_conflict", done.receipt)
    assert f"is executed, in {done.txn}" in str(refused.value)
    assert len(books.payments()) == 1


async def test_another_holder_of_the_account_is_no_tolerance(
    bank: Place, books: Books, person: Visitor, agent: Agent
) -> None:
    def rename(_: str) -> None:
        books.do("UPDATE holders SET name = 'Somebody Else' WHERE iban = ?", BAKERY)

    async with deciding(person, "approve", rename):
        with pytest.raises(TermsChanged) as changed:
            await pay(agent, bank.resource, BILL, lambda _: False)
    assert changed.value.terms is not None
    assert changed.value.terms["recipient"] == "Somebody Else"
    assert books.payments() == []


async def test_the_bank_says_with_the_refusal_that_nothing_was_executed_and_what_it_offers_now(
    bank: Place, books: Books, person: Visitor, agent: Agent
) -> None:
    said: list[Any] = []
    send = agent._shell.call

    async def heard(call: Any) -> Any:
        answer = await send(call)
        if shows_an_approval(call):
            said.append(answer.members())
        return answer

    agent._shell.call = heard  # type: ignore[method-assign]
    async with deciding(person, "approve", lambda _: costing(books, "9.00")):
        with pytest.raises(TermsChanged):
            await pay(agent, bank.resource, BILL, lambda _: False)
    [told] = said
    assert (told["reason"], told["check"], told["not_executed"]) == ("terms_changed", 7, True)
    assert told["transaction_challenge"]
