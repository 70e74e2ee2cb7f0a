"""What the log says of the server itself: its keys, and the settings with which it was started."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import oneact
from oneact.log.entry import Entry, Kind
from oneact.protocol import canonical

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.server.world import World

_SHOWN: Final = ("public_url", "rp_id", "private_hosts", "trusted_proxies", "host", "port")
_logger: Final = logging.getLogger("oneact.server")


async def record(world: World, *, first: bool) -> None:
    """Log that the server has started, and with which keys if these are new to the log."""
    now, entries = world.now(), [Entry(Kind.SERVER_STARTED, world.now(), "", "", _started(world))]
    if first:
        _logger.warning(
            "first start: passkeys will belong to %r for life; to change ONEACT_RP_ID later makes all of them useless",
            world.settings.rp_id,
        )
        about: dict[str, Json] = {"issuer": world.issuer, "rp_id": world.settings.rp_id, **_keys(world)}
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
