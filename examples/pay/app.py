"""The example bank: one payment, of one amount, to one payee, with the person's approval.

What the passkey signs is the amount, the account it goes to, and what the bank itself says of both: the name of its
holder, as the bank has verified it, and the fee. Amount and payee are what a strong authentication of a payment has to
be linked to: Commission Delegated Regulation (EU) 2018/389, Article 5. A change of either is refused by check 6.

The holder's name is told to the agents of the bank's own customers alone: an agent has to say, by an asking token, for
which of them it asks.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, Field

from examples.signin import SignIn
from oneact.service.fastapi import Act, Asker, Guard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi.responses import HTMLResponse

TOLERANCE: Final = Decimal("0.20")  # by which the fee may have risen since it was stated; the bank bears it
HOLDERS: Final = {"DE89370400440532013000": "Ada Bakery GmbH", "FR1420041010050500013M02606": "Librairie Curie"}


class Money(BaseModel):
    """An amount in text, with exactly two decimals, so that one amount has one form."""

    amount: str = Field(pattern=r"^(0|[1-9][0-9]{0,8})\.[0-9]{2}$")
    currency: Literal["EUR"]


class Payment(BaseModel):
    """What an agent can ask for."""

    to: str = Field(title="To account", pattern="^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$")
    amount: Money = Field(title="Amount")
    reference: str = Field(title="Reference", pattern="^[A-Za-z0-9 .,:+/()?-]{1,140}$")


class Terms(BaseModel):
    """What the bank promises: who is paid, and what it costs."""

    recipient: str = Field(title="Holder of that account")
    fee: Money = Field(title="Fee")
    total: Money = Field(title="Leaves your account")


class Paid(BaseModel):
    """What a payment answers."""

    number: int
    total: Money


class Books:
    """What the bank keeps: payments, the fee of today, and who holds which account."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "bank.db"
        with closing(self._open()) as books, books:
            books.executescript(
                "CREATE TABLE IF NOT EXISTS fee (euros TEXT);"
                "CREATE TABLE IF NOT EXISTS holders (iban TEXT PRIMARY KEY, name TEXT);"
                # The transaction is the key of the bank's own work: whatever comes twice stands once.
                "CREATE TABLE IF NOT EXISTS payments (number INTEGER PRIMARY KEY, txn TEXT NOT NULL UNIQUE,"
                " account TEXT, iban TEXT, amount TEXT, fee TEXT, reference TEXT);"
            )
            if not books.execute("SELECT * FROM fee").fetchall():
                books.execute("INSERT INTO fee VALUES ('0.35')")
                books.executemany("INSERT INTO holders VALUES (?, ?)", HOLDERS.items())

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file, timeout=10)

    def do(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        """Run one statement durably, and give its rows."""
        with closing(self._open()) as books, books:
            return books.execute(statement, values).fetchall()

    def fee(self) -> Decimal:
        """Give the fee of today, in euros."""
        return Decimal(self.do("SELECT euros FROM fee")[0][0])

    def holder(self, iban: str) -> str | None:
        """Give who holds an account; None where nobody does."""
        rows = self.do("SELECT name FROM holders WHERE iban = ?", iban)
        return str(rows[0][0]) if rows else None

    def payments(self) -> list[tuple[Any, ...]]:
        """Give every payment: account that pays, account that is paid, amount, fee, reference."""
        return self.do("SELECT account, iban, amount, fee, reference FROM payments ORDER BY number")


def create_app(resource: str, issuer: str, folder: Path) -> FastAPI:
    """Make the bank that is known as `resource`, takes approvals of `issuer` and keeps its files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    books, signin = Books(folder), SignIn("€ Example Bank", resource)
    guard = Guard(
        resource=resource,
        name="Example Bank",
        key=folder / "bank.jwk",
        store=folder / "guard.db",
        account=signin.account,
        issuers=[issuer],
        login_uri="/login",
    )
    app = FastAPI(title="Example Bank")
    app.include_router(guard.router)
    app.include_router(signin.router)

    def state(payment: Payment, _: Asker) -> Terms:
        """Say who is paid and what it costs, to a customer; an account that nobody holds is not offered to anybody."""
        name = books.holder(payment.to)
        if name is None:
            raise HTTPException(404, "no such account")
        fee = books.fee()
        return Terms(recipient=name, fee=_euros(fee), total=_euros(Decimal(payment.amount.amount) + fee))

    def stands(payment: Payment, terms: dict[str, Any]) -> bool:
        """Tell whether what was stated still stands: the same holder, and a fee that has not risen by too much."""
        stated = Decimal(terms["fee"]["amount"])
        return books.holder(payment.to) == terms["recipient"] and books.fee() <= stated + TOLERANCE

    @app.post("/payments", status_code=201)
    @guard.action(
        "pay",
        intent="Make a payment",
        summary="Pay {amount} to {recipient}",
        terms=state,
        terms_hold=stands,
        display={"to": ("To account", "account")},
    )
    async def pay(payment: Payment, act: Act) -> Paid:
        """Pay what was signed, at the fee that was signed; runs only with a verified approval, and once."""
        terms = Terms.model_validate(act.terms)
        amount, fee = payment.amount.amount, terms.fee.amount
        row = (act.txn, act.account, payment.to, amount, fee, payment.reference)
        [[number]] = books.do("INSERT INTO payments VALUES (NULL, ?, ?, ?, ?, ?, ?) RETURNING number", *row)
        return Paid(number=number, total=terms.total)

    @app.get("/")
    async def home(request: Request) -> HTMLResponse:
        """Show what was paid from the account that is signed in."""
        found = signin.account(request)
        return signin.home(request, "Payments", [row[1:] for row in books.payments() if found and row[0] == found.id])

    return app


def _euros(amount: Decimal) -> Money:
    return Money(amount=f"{amount:.2f}", currency="EUR")


def from_environment(environment: Mapping[str, str] = os.environ) -> FastAPI:
    """Make the bank by PAY_URL, ONEACT_SERVER and PAY_FOLDER."""
    return create_app(
        environment.get("PAY_URL", "http://localhost:8710"),
        environment.get("ONEACT_SERVER", "http://localhost:8400"),
        Path(environment.get("PAY_FOLDER", "var/pay")),
    )
