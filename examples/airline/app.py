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
from typing import Annotated, Any

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from pydantic import BaseModel, Field

from oneact.service.fastapi import Act, Guard, LocalAccount

RESOURCE = os.environ.get("AIRLINE_URL", "http://localhost:8500")
ISSUER = os.environ.get("AIRLINE_APPROVAL_SERVER", "http://localhost:8400")
FOLDER = Path(os.environ.get("AIRLINE_FOLDER", "var/airline"))
COOKIE = "airline-" + RESOURCE.rpartition(":")[2].strip("/")
FOLDER.mkdir(parents=True, exist_ok=True)

app = FastAPI(title="Example Air")
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
    price = f"{terms['price']['amount']} {terms['price']['currency']}"  # type: ignore[index,call-overload]
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


_STYLE = """
:root{color-scheme:light dark;--ink:light-dark(#172033,#e8ecf4);--paper:light-dark(#f5f7fb,#10141d);
--card:light-dark(#fff,#191f2c);--line:light-dark(#d9dfeb,#2c3547);--sky:light-dark(#0b5cad,#7db8f5)}
body{font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0}
main{max-width:44rem;margin:0 auto;padding:1.5rem 1rem 4rem}
header{background:var(--card);border-bottom:1px solid var(--line);padding:.9rem 1rem;font-weight:650}
header span{color:var(--sky)}
section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1.1rem 1.2rem;margin:1rem 0}
h1{font-size:1.5rem}h2{font-size:1.05rem;margin:.1rem 0 .7rem}
label{display:block;margin:.35rem 0}input[type=text]{font:inherit;padding:.5rem .6rem;width:7.5rem;border-radius:8px;
border:1px solid var(--line);background:var(--paper);color:inherit}
button{font:inherit;font-weight:600;padding:.6rem 1.1rem;border:0;border-radius:10px;background:var(--sky);
color:light-dark(#fff,#0b1420);cursor:pointer}a{color:var(--sky)}
table{border-collapse:collapse;width:100%}td,th{padding:.4rem .5rem;text-align:left;border-top:1px solid var(--line)}
.refused{color:light-dark(#a3261b,#ff9c92)}.done{color:light-dark(#166b3a,#7fdca4)}.row{display:flex;gap:.8rem;flex-wrap:wrap}
"""


def _page(title: str, body: str, refresh: bool = False) -> HTMLResponse:  # noqa: FBT001, FBT002 - one small page
    again = '<meta http-equiv="refresh" content="3">' if refresh else ""
    return HTMLResponse(
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>{again}"
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>"
        f"<header><span>✈</span> Example Air</header><main>{body}</main></html>",
        headers={"Cache-Control": "no-store", "Content-Security-Policy": "frame-ancestors 'none'"},
    )


@app.get("/")
async def home(request: Request) -> HTMLResponse:
    """Show who is signed in and what is booked."""
    account = current_user(request)
    if account is None:
        return _page("Example Air", "<h1>Fly somewhere</h1><section><a href=/login>Sign in</a></section>")
    rows = "".join(
        f"<tr><td>{html.escape(row[0])}<td>{html.escape(row[3])} → {html.escape(row[4])}<td>{html.escape(row[5])}"
        f"<td>{html.escape(row[6])}"
        for row in bookings()
        if row[1] == account.id
    )
    table = f"<table><tr><th>Reference<th>Flight<th>Date<th>Price{rows}</table>" if rows else "<p>None yet.</p>"
    return _page(
        "Example Air",
        f"<h1>Hello, {html.escape(account.label)}</h1><section><h2>Your bookings</h2>{table}</section>"
        "<section><h2>Agents</h2><p>Let agents ask for single bookings, each approved with your passkey.</p>"
        "<p><a href=/oneact/link>Link an approval server</a> · <a href=/demo>The demo desk</a></p></section>",
    )


@app.get("/login")
async def login_page() -> HTMLResponse:
    """Show the sign-in; the demo airline takes any name."""
    return _page(
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


# --- the demo desk: orders for the demo's agent, with a switch that changes one thing on the way ---------------------

TAMPERINGS = {
    "none": "Nothing: the act runs as approved",
    "parameter": "The agent sends another destination than the one approved",
    "price": "The approval server's stolen key signs the real approval with a lower price",
    "second": "The agent uses the token a second time",
    "forged": "The approval server's stolen key signs a token without the person's passkey",
}
orders: list[dict[str, Any]] = []
results: list[dict[str, Any]] = []


@app.get("/demo")
async def desk() -> HTMLResponse:
    """Show the order form with its switch, and what became of earlier orders."""
    choices = "".join(
        f"<label><input type=radio name=tamper value={name} {'checked' if name == 'none' else ''}> "
        f"{html.escape(text)}</label>"
        for name, text in TAMPERINGS.items()
    )
    rows = "".join(
        f"<tr><td>{html.escape(item['tamper'])}<td class={'done' if item['kind'] == 'done' else 'refused'}>"
        f"{html.escape(item['says'])}"
        for item in reversed(results)
    )
    waiting = len(orders) > len(results)
    note = "<p role=status>The agent is asking. Approve it in your inbox.</p>" if waiting else ""
    return _page(
        "Demo desk",
        "<h1>Tell the agent to book</h1><section><form method=post action=/demo><div class=row>"
        "<label>From <input type=text name=origin value=SFO></label>"
        "<label>To <input type=text name=to value=NYC></label>"
        "<label>Date <input type=text name=date value=2024-03-01></label></div>"
        f"<h2>Tamper</h2>{choices}<p><button>Ask the agent</button></p></form>{note}</section>"
        f"<section><h2>What became of it</h2><table>{rows}</table></section>",
        refresh=waiting,
    )


@app.post("/demo")
async def order(
    origin: Annotated[str, Form()],
    to: Annotated[str, Form()],
    date: Annotated[str, Form()],
    tamper: Annotated[str, Form()],
) -> RedirectResponse:
    """Leave an order for the agent."""
    orders.append({"from": origin, "to": to, "date": date, "tamper": tamper if tamper in TAMPERINGS else "none"})
    return RedirectResponse("/demo", 303)


@app.get("/demo/orders/{number}")
async def next_order(number: int) -> JSONResponse:
    """Give the agent its order of this number, if there is one."""
    return JSONResponse(orders[number] if number < len(orders) else None)


@app.post("/demo/results")
async def result(request: Request) -> JSONResponse:
    """Take down what the agent says became of an order."""
    said = await request.json()
    results.append({name: str(said.get(name, ""))[:400] for name in ("tamper", "kind", "says")})
    return JSONResponse({})
