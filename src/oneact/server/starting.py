"""What the log says of the server itself, its keys and settings; a start is held to what the first one said."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Final

import oneact
from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import canonical

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.server.settings import Settings
    from oneact.server.world import World
    from oneact.store import Store

_SHOWN: Final = ("public_url", "rp_id", "for_service", "private_hosts", "trusted_proxies", "host", "port")
_logger: Final = logging.getLogger("oneact.server")


async def hold_to_beginning(settings: Settings, store: Store) -> None:
    """Hold the settings to those that the database was begun with, as its first entry has them.

    Refuses `request_malformed` under another RP ID or issuer: nothing that stands there would work any more. The detail
    is a sentence for whoever runs the server.
    """
    row = await store.one("first_key_entry")
    if row is None:
        return
    begun: dict[str, str] = json.loads(row["content"])
    if begun["rp_id"] != settings.rp_id:
        raise Refusal(
            Reason.REQUEST_MALFORMED,
            f"the passkeys in {settings.database} belong to {begun['rp_id']} for life and would be useless under "
            f"{settings.rp_id}; set ONEACT_RP_ID and ONEACT_PUBLIC_URL as they were, or begin a new database",
        )
    if begun["issuer"] != settings.issuer:
        raise Refusal(
            Reason.REQUEST_MALFORMED,
            f"{settings.database} was begun as {begun['issuer']}, the only name by which agents and services know it; "
            f"ONEACT_PUBLIC_URL is now {settings.issuer}: set it back, or begin a new database",
        )
    if begun.get("for_service", "") != settings.for_service:
        raise Refusal(
            Reason.REQUEST_MALFORMED,
            f"the persons in {settings.database} are the accounts of {begun.get('for_service') or 'no one service'}, "
            f"and ONEACT_FOR_SERVICE is now {settings.for_service or 'empty'}: set it back, or begin a new database",
        )


def _begun_for(settings: Settings) -> dict[str, Json]:
    return {"for_service": settings.for_service} if settings.for_service else {}


async def record(world: World) -> None:
    """Log that the server has started, and with which keys if these are new to the log."""
    now, entries = world.now(), [Entry(Kind.SERVER_STARTED, world.now(), "", "", _started(world))]
    if await world.store.one("first_key_entry") is None:
        _logger.warning(
            "first start: passkeys will belong to %r for life; to change ONEACT_RP_ID later makes all of them useless",
            world.settings.rp_id,
        )
        about: dict[str, Json] = {
            "issuer": world.issuer,
            "rp_id": world.settings.rp_id,
            **_begun_for(world.settings),
            **_keys(world),
        }
        entries.insert(0, Entry(Kind.KEY_CREATED, now, "", "", about))
    elif await _rotated(world):
        entries.insert(0, Entry(Kind.KEY_ROTATED, now, "", "", _keys(world)))
    await world.store.change((), entries)


async def _rotated(world: World) -> bool:
    """Tell whether the keys are others than the log has last told of."""
    row = await world.store.one("last_key_entry")
    told = canonical.parse(row["content"].encode()) if row else {}
    return not isinstance(told, dict) or any(told.get(name) != value for name, value in _keys(world).items())


def _keys(world: World) -> dict[str, Json]:
    return {
        "keys": [key.public.public_jwk() for key in world.keys],
        "log_keys": [verifier.line() for verifier in world.log.verifiers()],
    }


def _started(world: World) -> dict[str, Json]:
    settings: dict[str, Json] = {}
    for name in _SHOWN:
        value = getattr(world.settings, name)
        settings[name] = list(value) if isinstance(value, tuple) else value
    return {"version": oneact.__version__, "settings": settings}
