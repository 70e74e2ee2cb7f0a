"""The demo desk: orders for the demo's agent, with a switch that changes one thing on the way."""

from __future__ import annotations

import html
import time
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from examples.airline.site import page

TAMPERINGS = {
    "none": "Nothing",
    "destination": "The destination: the agent sends another than the one approved",
    "price": "The price: the approval server's stolen key signs the real approval with a lower one",
    "passkey": "The passkey: the approval server's stolen key signs a token with a passkey of its own",
    "second": "The count: the agent uses the last booking's token a second time, and asks nobody",
}
_COLOURS = {"done": "good", "refused": "bad", "error": "bad"}
_MONTH = 30 * 24 * 3600
router = APIRouter()
orders: list[dict[str, Any]] = []
results: list[dict[str, Any]] = []


@router.get("/demo")
async def desk() -> HTMLResponse:
    """Show the order form with its switch, and what became of earlier orders."""
    choices = "".join(
        f"<label class=choice><input type=radio name=tamper value={name} {'checked' if name == 'none' else ''}>"
        f"<span>{html.escape(text)}</span></label>"
        for name, text in TAMPERINGS.items()
    )
    waiting = len(orders) > len(results)
    note = "<p role=status>The agent is asking. Approve it in your inbox.</p>" if waiting else ""
    day = datetime.fromtimestamp(time.time() + _MONTH, UTC).date()
    return page(
        "Demo desk",
        "<h1>Tell the agent to book</h1><section><form method=post action=/demo><div class=row>"
        "<label>From <input type=text name=origin value=SFO></label>"
        "<label>To <input type=text name=to value=NYC></label>"
        f"<label>Date <input type=text name=date value={day}></label></div>"
        f"<fieldset><legend>What is changed on the way, after you have approved</legend>{choices}</fieldset>"
        f"<button>Ask the agent</button></form>{note}</section>"
        f"<section><h2>What became of it</h2>{_outcomes()}</section>",
        refresh=waiting,
    )


def _outcomes() -> str:
    """Say of each order, newest first, what was changed, how it ended, and why."""
    rows = "".join(
        f"<li>{TAMPERINGS.get(item['tamper'], 'Nothing').partition(':')[0]} was changed<br>"
        f"<b class={_COLOURS.get(item['kind'], 'plain')}>{html.escape(item['says'])}</b></li>"
        for item in reversed(results)
    )
    return f"<ul>{rows}</ul>" if rows else "<p>Nothing yet.</p>"


@router.post("/demo")
async def order(
    origin: Annotated[str, Form()],
    to: Annotated[str, Form()],
    date: Annotated[str, Form()],
    tamper: Annotated[str, Form()],
) -> RedirectResponse:
    """Leave an order for the agent."""
    orders.append({"from": origin, "to": to, "date": date, "tamper": tamper if tamper in TAMPERINGS else "none"})
    return RedirectResponse("/demo", 303)


@router.get("/demo/orders/{number}")
async def next_order(number: int) -> JSONResponse:
    """Give the agent its order of this number, if there is one."""
    return JSONResponse(orders[number] if number < len(orders) else None)


@router.post("/demo/results")
async def result(request: Request) -> JSONResponse:
    """Take down what the agent says became of an order."""
    said = await request.json()
    results.append({name: str(said.get(name, ""))[:400] for name in ("tamper", "kind", "says")})
    return JSONResponse({})
