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
FRESH: Final = 300  # seconds for which a passkey gesture counts as one made just now
_MAX_TOKEN: Final = 128


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person; `id` is the token's hash, `auth_time` the second of the last gesture that signed them in."""

    id: str
    account: str
    name: str
    auth_time: int


async def start(world: World, account: str) -> str:
    """Start a session for an account whose passkey has been verified; give the token for the cookie."""
    token, now = secrets.token_urlsafe(32), world.now()
    writes = [
        Write("end_sessions", (now,), None),
        Write("insert_session", (_hash(token), account, now, now + LIFETIME)),
    ]
    if not await world.store.change(writes, ()):
        raise Refusal(Reason.STORE_UNAVAILABLE, "the session was not stored")
    return token


async def find(world: World, token: str) -> Session | None:
    """Give the session of a cookie's token, or None."""
    if not 0 < len(token) <= _MAX_TOKEN:
        return None
    row = await world.store.one("session", _hash(token), world.now())
    return None if row is None else Session(row["id"], row["account_id"], row["name"], row["auth_time"])


async def refresh(world: World, session: Session) -> None:
    """Note that the person of a session has just used a passkey."""
    await world.store.change([Write("refresh_session", (session.id, world.now()))], ())


async def end(world: World, session: Session) -> None:
    """Sign out."""
    await world.store.change([Write("end_session", (session.id,), None)], ())


def check_fresh(world: World, session: Session) -> None:
    """Refuse `session_stale` unless the person has used a passkey within the last five minutes."""
    if world.now() - session.auth_time >= FRESH:
        raise Refusal(Reason.SESSION_STALE, f"auth_time {session.auth_time}")


def _hash(token: str) -> str:
    return hashlib.sha256(b"oneact-session-1\n" + token.encode()).hexdigest()
