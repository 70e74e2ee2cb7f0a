"""Sessions: a random token in the person's browser, its hash in the store."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.store import Write

if TYPE_CHECKING:
    from oneact.server.world import World

LIFETIME: Final = 12 * 3600
_MAX_TOKEN: Final = 128


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person; `id` is the token's hash. It opens pages and says no; every yes is a gesture of its own."""

    id: str
    account: str
    name: str


async def start(world: World, account: str, passkey: str) -> str:
    """Start a session for an account by a passkey that has been verified; give the token for the cookie.

    Refuses `passkey_not_pinned` where the passkey was removed meanwhile: its removal ends every session before it.
    """
    token, now = secrets.token_urlsafe(32), world.now()
    writes = [
        Write("end_sessions", (now,), None),
        Write("insert_session", (_hash(token), account, now, now + LIFETIME, passkey)),
    ]
    if not await world.store.change(writes, ()):
        raise Refusal(Reason.PASSKEY_NOT_PINNED, "removed at this moment")
    return token


async def find(world: World, token: str) -> Session | None:
    """Give the session of a cookie's token, or None."""
    if not 0 < len(token) <= _MAX_TOKEN:
        return None
    row = await world.store.one("session", _hash(token), world.now())
    return None if row is None else Session(row["id"], row["account_id"], row["name"])


async def end(world: World, session: Session) -> None:
    """Sign out."""
    await world.store.change([Write("end_session", (session.id,), None)], ())


def _hash(token: str) -> str:
    return hashlib.sha256(b"oneact-session-1\n" + token.encode()).hexdigest()
