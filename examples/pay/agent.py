"""An agent that pays one bill, and what it does where the bank's terms have changed meanwhile.

A person approved the old terms and nobody the new ones. So it shows both to whoever runs it and, if they want it, asks
anew: a wish of its own, with its own idempotency key, that the person sees and approves or denies as any other.

    python -m examples.pay.agent DE89370400440532013000 100.00 "Invoice 7"
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from typing import TYPE_CHECKING, Any

from oneact.agent import Agent, AgentError, TermsChanged

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.agent import Result
    from oneact.protocol.canonical import Json

BANK = os.environ.get("PAY_URL", "http://localhost:8710")
SERVER = os.environ.get("ONEACT_SERVER", "http://localhost:8400")


async def pay(agent: Agent, bank: str, payment: dict[str, Json], wants: Callable[[TermsChanged], bool]) -> Result:
    """Have one payment made; `wants` decides whether to ask anew where the terms have changed."""
    while True:
        try:
            return await agent.act(bank, "pay", payment, idempotency_key=secrets.token_urlsafe(16))
        except TermsChanged as changed:
            if not wants(changed):
                raise


def at_the_terminal(changed: TermsChanged) -> bool:
    """Show what was approved and what the bank says now, and ask whether to ask for that."""
    print(f"The bank's terms have changed; nothing was paid.\n approved: {_said(changed.approved)}")
    return input(f" now:      {_said(changed.terms)}\nAsk for that? [y/N] ").strip().lower() == "y"


def _said(terms: dict[str, Any] | None) -> str:
    return "none" if terms is None else f"{terms['total']['amount']} EUR in all, to {terms['recipient']}"


async def main(to: str, amount: str, reference: str) -> None:
    """Pay one bill."""
    payment: dict[str, Json] = {"to": to, "amount": {"amount": amount, "currency": "EUR"}, "reference": reference}
    async with await Agent.open(SERVER, name="Bill payer") as agent:
        result = await pay(agent, BANK, payment, at_the_terminal)
        print(f"paid, number {result.json()['number']}; receipt of {result.txn} verified")


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:4]))
    except AgentError as error:
        sys.exit(f"not paid, as far as is known: {error}")
