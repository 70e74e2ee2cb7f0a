"""The example airline: bookings that only run with a person's approval.

What its owner adds for OneAct is the guard, its router, and one decorator on the handler. The rest is the airline's
own: a sign-in, a database, prices.
"""

from __future__ import annotations

import html
import os
import secrets
import sqlite3
import time
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from examples.airline.desk import router as desk
from examples.airline.site import page
from oneact.service.fastapi import Act, Guard, LocalAccount

RESOURCE = os.environ.get("AIRLINE_URL", "http://localhost:8500")
ISSUER = os.environ.get("AIRLINE_APPROVAL_SERVER", "http://localhost:8400")
FOLDER = Path(os.environ.get("AIRLINE_FOLDER", "var/airline"))
COOKIE = "airline-" + RESOURCE.rpartition(":")[2].strip("/")
FOLDER.mkdir(parents=True, exist_ok=True)

app = FastAPI(title="Example Air")
app.include_router(desk)
sessions: dict[str, LocalAccount] = {}


def current_user(request: Request) -> LocalAccount | None:
    """Give the account that is signed in at the airline; any web site has something like it."""
    return sessions.get(request.cookies.get(COOKIE, ""))


# --- what OneAct adds ----------------------------------------------------------------------------------------------

guard = Guard(
    resource=RESOURCE,
    name="Example Air",
    key=FOLDER / "air.jwk",
    store=FOLDER / "air.db",
    account=current_user,
    issuers=[ISSUER],
    login_uri="/login",
)
app.include_router(guard.router)


class Flight(BaseModel):
    """What an agent can ask for."""

    from_: str = Field(alias="from", title="From", pattern="^[A-Z]{3}$")
    to: str = Field(title="To", pattern="^[A-Z]{3}$")
    date: str = Field(title="Date", json_schema_extra={"format": "date"}, pattern=r"^\d{4}-\d{2}-\d{2}$")


class Money(BaseModel):
    """An amount as text, since it is signed."""

    amount: str
    currency: str


class Terms(BaseModel):
    """What the airline promises with a booking."""

    price: Money = Field(title="Price")
    cabin: str = Field(title="Cabin")


class Booking(BaseModel):
    """What a booking answers."""

    reference: str
    price: str


def quote(flight: Flight) -> Terms:
    """State the price of a flight."""
    fares = {("SFO", "NYC"): "312.00", ("SFO", "LAX"): "89.00"}
    return Terms(price=Money(amount=fares.get((flight.from_, flight.to), "199.00"), currency="USD"), cabin="Economy")


@app.post("/bookings")
@guard.action("book_flight", intent="Book a flight", summary="Fly {from} to {to} on {date}", terms=quote)
async def book(flight: Flight, act: Act) -> Booking:
    """Book; runs only with a verified approval, and once."""
    terms = act.terms or {}
    price = f"{terms['price']['amount']} {terms['price']['currency']}"  # type: ignore[index,call-overload]  # as quoted
    reference = secrets.token_hex(3).upper()
    with _database() as database:
        row = (reference, act.account, act.txn, flight.from_, flight.to, flight.date, price)
        database.execute("INSERT INTO bookings VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return Booking(reference=reference, price=price)


# --- the airline's own ---------------------------------------------------------------------------------------------


def _database() -> sqlite3.Connection:
    database = sqlite3.connect(FOLDER / "bookings.db", timeout=10)
    database.execute("CREATE TABLE IF NOT EXISTS bookings (reference, account, txn, origin, destination, day, price)")
    return database


def bookings() -> list[tuple[str, ...]]:
    """Give every booking there is."""
    with _database() as database:
        return database.execute("SELECT * FROM bookings").fetchall()


@app.get("/")
async def home(request: Request) -> HTMLResponse:
    """Show who is signed in and what is booked."""
    account = current_user(request)
    if account is None:
        return page("Example Air", "<h1>Fly somewhere</h1><section><a href=/login>Sign in</a></section>")
    rows = "".join(
        f"<tr><td>{html.escape(row[0])}<td>{html.escape(row[3])} → {html.escape(row[4])}<td>{html.escape(row[5])}"
        f"<td>{html.escape(row[6])}"
        for row in bookings()
        if row[1] == account.id
    )
    table = f"<table><tr><th>Reference<th>Flight<th>Date<th>Price{rows}</table>" if rows else "<p>None yet.</p>"
    return page(
        "Example Air",
        f"<h1>Hello, {html.escape(account.label)}</h1><section><h2>Your bookings</h2>{table}</section>"
        "<section><h2>Agents</h2><p>Let agents ask for single bookings, each approved with your passkey.</p>"
        "<p><a href=/oneact/link>Link an approval server</a> · <a href=/demo>The demo desk</a></p></section>",
    )


@app.get("/login")
async def loginpage() -> HTMLResponse:
    """Show the sign-in; the demo airline takes any name."""
    return page(
        "Sign in",
        "<h1>Sign in</h1><section><form method=post><label>Name <input type=text name=name value=ada required></label>"
        "<p>This airline is a demo and asks for no password.</p><button>Sign in</button></form></section>",
    )


@app.post("/login")
async def login(name: Annotated[str, Form(max_length=40)]) -> RedirectResponse:
    """Sign in freshly."""
    token = secrets.token_urlsafe(24)
    sessions[token] = LocalAccount(name.strip().lower(), name.strip(), int(time.time()))
    answer = RedirectResponse("/", 303)
    answer.set_cookie(COOKIE, token, httponly=True, samesite="lax")
    return answer
