"""The airline's web site: a sign-in, a form, a list of bookings; what OneAct adds is the guard and one decorator."""

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

from examples.airline.site import page
from oneact.embedded import Embedded
from oneact.service.fastapi import Act, Guard, LocalAccount

RESOURCE = os.environ.get("AIRLINE_FORM_URL", "http://localhost:8700")
FOLDER = Path(os.environ.get("AIRLINE_FORM_FOLDER", "var/airline-form"))
COOKIE = "airline-form"
FOLDER.mkdir(parents=True, exist_ok=True)

app = FastAPI(title="Example Air")
sessions: dict[str, LocalAccount] = {}


def now() -> int:
    """Give the time; the demo moves it on by a file, so that nobody has to sit through ten minutes."""
    ahead = FOLDER / "ahead"
    return int(time.time()) + (int(ahead.read_text()) if ahead.exists() else 0)


def current_user(request: Request) -> LocalAccount | None:
    """Give the account that is signed in."""
    return sessions.get(request.cookies.get(COOKIE, ""))


# --- what OneAct adds ----------------------------------------------------------------------------------------------

guard = Guard(
    resource=RESOURCE,
    name="Example Air",
    key=FOLDER / "air.jwk",
    store=FOLDER / "air.db",
    account=current_user,
    issuers=Embedded(FOLDER / "approve"),
    login_uri="/login?next={next}",
    now=now,
)
app.include_router(guard.router)


class Flight(BaseModel):
    """The form's fields."""

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


def quote(flight: Flight) -> Terms:
    """State the price of a flight."""
    fares = {("SFO", "NYC"): "312.00", ("SFO", "LAX"): "89.00"}
    return Terms(price=Money(amount=fares.get((flight.from_, flight.to), "199.00"), currency="USD"))


@app.post("/book")
@guard.form(
    "book_flight", unlinked="refuse", intent="Book a flight", summary="Fly {from} to {to} on {date}", terms=quote
)
def book(flight: Annotated[Flight, Form()], act: Act) -> RedirectResponse:
    """Book; runs only with a verified approval, and once."""
    with _database() as database:
        row = (secrets.token_hex(3).upper(), act.account, flight.from_, flight.to, flight.date)
        database.execute("INSERT INTO bookings VALUES (?, ?, ?, ?, ?)", row)
    return RedirectResponse(f"/?booked={row[0]}", 303)


# --- the airline's own ---------------------------------------------------------------------------------------------


def _database() -> sqlite3.Connection:
    database = sqlite3.connect(FOLDER / "bookings.db", timeout=10)
    database.execute("CREATE TABLE IF NOT EXISTS bookings (reference, account, origin, destination, day)")
    return database


@app.get("/")
def home(request: Request, booked: str = "") -> HTMLResponse:
    """Show the form, and what is booked."""
    account = current_user(request)
    if account is None:
        return page("Example Air", "<h1>Fly somewhere</h1><section><a href=/login>Sign in</a></section>")
    with _database() as database:
        rows = database.execute("SELECT * FROM bookings WHERE account = ?", (account.id,)).fetchall()
    listed = "".join(f"<tr>{''.join(f'<td>{html.escape(row[index])}' for index in (0, 2, 3, 4))}" for row in rows)
    table = f"<table><tr><th>Reference<th>From<th>To<th>Date{listed}</table>" if rows else "<p>None yet.</p>"
    done = f"<p class=good role=status>Booked. Your reference is {html.escape(booked)}.</p>" if booked else ""
    return page(
        "Example Air",
        f"<h1>Hello, {html.escape(account.label)}</h1>{done}"
        "<section><h2>Book a flight</h2><form method=post action=/book>"
        "<div class=row><label>From <input type=text name=from required></label>"
        "<label>To <input type=text name=to required></label>"
        "<label>Date <input type=text name=date required></label></div><p><button>Book</button></p></form></section>"
        f"<section><h2>Your bookings</h2>{table}</section>"
        "<section><h2>Passkey</h2><p>A booking is made when your passkey has approved it.</p>"
        "<p><a href=/approve/>Your passkey and what waits for it</a></p></section>",
    )


@app.get("/login")
def loginpage() -> HTMLResponse:
    """Show the sign-in; the demo airline takes any name."""
    return page(
        "Sign in",
        "<h1>Sign in</h1><section><form method=post><label>Name <input type=text name=name value=Ada required></label>"
        "<p>This airline is a demo and asks for no password.</p><button>Sign in</button></form></section>",
    )


@app.post("/login")
def login(name: Annotated[str, Form(max_length=40)], next: str = "/") -> RedirectResponse:  # noqa: A002 - as the address names it
    """Sign in freshly, and go on within this site."""
    token = secrets.token_urlsafe(24)
    sessions[token] = LocalAccount(name.strip().lower(), name.strip(), now())
    answer = RedirectResponse(next if next[:1] == "/" and next[1:2] not in {"/", "\\"} else "/", 303)
    answer.set_cookie(COOKIE, token, httponly=True, samesite="lax")
    return answer
