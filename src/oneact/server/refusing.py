"""Refusals that a person should find in the log: what their own agents asked for in vain, and gestures that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.server.clients import Client
    from oneact.server.world import World

_PER_MINUTE: Final = 10  # for one account: nobody fills a log with what was refused to them
_ORDINARY: Final = frozenset({Reason.RATE_LIMITED, Reason.STORE_UNAVAILABLE, Reason.HINT_UNKNOWN})


async def asked_in_vain(world: World, client: Client, hint: str, refusal: Refusal) -> None:
    """Log that a person's agent asked for something that was refused; an agent that is not theirs leaves no trace."""
    row = await world.store.one("pairing_by_hint", hint)
    if row is not None and (row["client_id"], row["jkt"]) == (client.id, client.jkt):
        await _log(world, row["account_id"], "", refusal, {"agent": {"client_id": client.id, "jkt": client.jkt}})


async def approved_in_vain(world: World, account: str, requests: Json, refusal: Refusal) -> None:
    """Log, with each of these requests that is the person's own, that a gesture over it was refused."""
    for request in requests[:20] if isinstance(requests, list) else ():
        if isinstance(request, str) and await world.store.one("request_of_person", request, account) is not None:
            await _log(world, account, request, refusal, {})


async def _log(world: World, account: str, request: str, refusal: Refusal, about: dict[str, Json]) -> None:
    if refusal.reason in _ORDINARY:
        return
    now = world.now()
    try:
        world.limits.known(f"refused {account}", _PER_MINUTE, now)
    except Refusal:
        return
    content: dict[str, Json] = {"reason": refusal.reason.value, **about}
    await world.store.change((), [Entry(Kind.REFUSED, now, account, request, content)])
