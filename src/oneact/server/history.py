"""What waits for a person, what was decided, what became of it, and what the log says of one request."""

from __future__ import annotations

import asyncio
import contextlib
import json
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.protocol import canonical
from oneact.server import opening, pairing
from oneact.server.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from oneact.server.sessions import Session
    from oneact.server.world import World
    from oneact.store.contract import Row

PAGE: Final = 50
MAX_WAIT: Final = 25
_LOOK_THERE: Final = (
    "Look at your account there, or ask the service, before you let the agent ask again. "
    "If a receipt still comes, this page shows it."
)


class Outcome(Enum):
    """What the page says about a request: the decision, what became of it, a sentence, what the person can do."""

    PENDING = "Waiting for you", "", "Nothing happens until you decide."
    HANDING = "Approved", "Handing over", "Approved. Handing over to the agent."
    HANDED = "Approved", "Handed over", "Handed over. Waiting for the service's word."
    EXECUTED = "Approved", "Executed", "Done. Receipt verified."
    FAILED = (
        "Approved",
        "Failed",
        "The service tried and failed; its receipt says so. It will not be tried again.",
    )
    UNKNOWN = "Approved", "Unknown", "The service does not know whether it was done.", _LOOK_THERE
    NO_WORD = (
        "Approved",
        "No word",
        "No word from the service.",
        f"The agent's time to use your approval is over. It may have been refused, or the answer lost. {_LOOK_THERE}",
    )
    NOT_USED = "Approved", "Not used", "The agent did not collect your approval in time. Nothing was done."
    DENIED = "Denied", "Not executed", "Denied. Nothing was done."
    EXPIRED = "Not decided", "Not executed", "Nobody decided in time. Nothing was done."
    CANCELLED = "Taken back", "Not executed", "The agent took its request back. Nothing was done."

    def __init__(self, decision: str, became: str, says: str, advice: str = "") -> None:
        """Give the parts their names."""
        self.decision = decision
        self.became = became
        self.says = says
        self.advice = advice

    @property
    def final(self) -> bool:
        """Tell whether nothing more can come; after `no word` and `unknown` a receipt still may."""
        return self not in _OPEN


_OPEN: Final = {Outcome.PENDING, Outcome.HANDING, Outcome.HANDED, Outcome.NO_WORD, Outcome.UNKNOWN}
_RECEIPTS: Final = {"executed": Outcome.EXECUTED, "failed": Outcome.FAILED, "unknown": Outcome.UNKNOWN}


def outcome(row: Row, now: int) -> Outcome:
    """Give the outcome of a request's row at second `now`."""
    state = State(row["state"])
    if state is State.ISSUED:
        if row["receipt_status"] is not None:
            return _RECEIPTS[row["receipt_status"]]
        return Outcome.HANDED if now < row["token_exp"] else Outcome.NO_WORD
    if state is State.APPROVED:
        return Outcome.HANDING if now < row["approved_until"] else Outcome.NOT_USED
    if state is State.EXPIRED and row["approved_until"] is not None:
        return Outcome.NOT_USED
    if state is State.PENDING:
        return Outcome.PENDING if now < row["expires_at"] else Outcome.EXPIRED
    return {State.DENIED: Outcome.DENIED, State.EXPIRED: Outcome.EXPIRED, State.CANCELLED: Outcome.CANCELLED}[state]


class Waiting(NamedTuple):
    """What waits for a person: requests by batch, read sessions, how many agents want to be paired.

    `version` is a text that differs when these do.
    """

    batches: list[list[Row]]
    reads: list[Row]
    agents: int
    version: str


async def inbox(world: World, session: Session) -> Waiting:
    """Give what waits."""
    rows = await world.store.all("inbox", session.account, world.now())
    agents = await pairing.waiting_for(world, session.account)
    batches: dict[str, list[Row]] = {}
    for row in rows:
        row["intent"] = json.loads(row["lines"])[0]
        batches.setdefault(row["batch_id"] or row["id"], []).append(row)
    reads = await opening.pending(world, session)
    version = canonical.digest([[row["id"] for row in found] for found in (rows, agents, reads)])
    return Waiting(list(batches.values()), reads, len(agents), version)


async def changed_inbox(world: World, session: Session, version: str) -> Waiting:
    """Give what waits as soon as it differs from `version`, at the latest after 25 seconds."""
    async with changing(world, session, MAX_WAIT) as change:
        found = await inbox(world, session)
        if found.version == version:
            await change
            found = await inbox(world, session)
    return found


@contextlib.asynccontextmanager
async def changing(world: World, session: Session, seconds: float) -> AsyncIterator[asyncio.Task[None]]:
    """Wait for something new for a person, from before the look that decides whether to wait: nothing is missed."""
    change = asyncio.create_task(world.waiting.wait(session.account, seconds))
    await asyncio.sleep(0)  # lets the task begin to wait
    try:
        yield change
    finally:
        change.cancel()
        await asyncio.wait({change})


async def past(world: World, session: Session, before: int, before_id: str) -> list[Row]:
    """Give up to fifty requests, newest first, each with its `outcome`: those before a second and an id in it."""
    rows = await world.store.all("history", session.account, before, before_id, PAGE)
    for row in rows:
        row["intent"] = json.loads(row["lines"])[0]
        row["outcome"] = outcome(row, world.now())
    return rows


async def entries(world: World, request_id: str) -> list[Row]:
    """Give what the log says of one request, which has to be known to be this person's."""
    return await world.store.all("entries_of_request", request_id)
