"""Ends without a token: expiry, cancellation, withdrawal, each with a statement that the server signs."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Final

from oneact.errors import Refusal
from oneact.log.entry import Entry
from oneact.protocol import ended
from oneact.server import forgetting
from oneact.server.lifecycle import TRANSITIONS, Event, State
from oneact.store import Write

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.server.world import World
    from oneact.store.contract import Row

_SWEEP: Final = 5.0
_logger: Final = logging.getLogger("oneact.server")


def statement(world: World, row: Row, state: State, message: str = "") -> str:
    """Sign that a request has ended in `state`; the same text is given at every later poll."""
    told = ended.Ended(
        world.issuer, row["client_id"], row["sub"], row["resource"], row["txn"], state.value, world.now(), message
    )
    return ended.sign(told, world.key)


async def expire(world: World, row: Row, state: State) -> bool:
    """End a request whose time has run out; False where it was decided at the same moment."""
    return await _end(world, row, state, Event.EXPIRE, "expire_request")


async def cancel(world: World, row: Row) -> bool:
    """End a pending request that its agent takes back; False where it was decided at the same moment."""
    return await _end(world, row, State.PENDING, Event.CANCEL, "cancel_request")


async def withdraw(world: World, row: Row) -> bool:
    """End an approval that may not be collected any more; False where it was, or where its time has run out."""
    return await _end(world, row, State.APPROVED, Event.WITHDRAW, "withdraw_request")


async def withdraw_where(world: World, account: str, fallen: Callable[[Row], bool]) -> None:
    """Withdraw those of a person's approvals not yet collected whose agent, link or passkey has just gone.

    What this does not reach, because it was approved at the same moment, is not issued either: `issue_request` looks
    for agent, link and passkey again.
    """
    for row in await world.store.all("approved_of_account", account):
        if fallen(row):
            await withdraw(world, row)


def signer(row: Row) -> str:
    """Give the id of the passkey that approved a request."""
    found: str = json.loads(row["approvals"])[0]["webauthn"]["credential_id"]
    return found


async def sweep(world: World) -> int:
    """Expire everything that is overdue; give how many requests that were."""
    overdue = await world.store.all("overdue_requests", world.now())
    ended = await asyncio.gather(*(expire(world, row, State.PENDING) for row in overdue))
    return sum(ended)


async def sweep_for_ever(world: World) -> None:
    """Sweep and forget every five seconds, until cancelled; a store that fails is tried again."""
    while True:
        try:
            await sweep(world)
            await forgetting.forget(world)
        except Refusal as refusal:
            _logger.warning("the sweep of what has ended failed: %s", refusal)
        await asyncio.sleep(_SWEEP)


async def _end(world: World, row: Row, state: State, event: Event, write: str) -> bool:
    target, kind = TRANSITIONS[state, event]
    signed, now = statement(world, row, target), world.now()
    entry = Entry(kind, now, row["account_id"], row["id"], {"statement": signed})
    done = await world.store.change([Write(write, (row["id"], now, signed))], [entry])
    if done:
        world.waiting.wake(row["id"])
        world.waiting.wake(row["account_id"])
    return done
