"""Pairing: an agent and a person find each other by a code that the person types (RFC 8628)."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.server import addresses
from oneact.store import Write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.canonical import Json
    from oneact.server.clients import Client
    from oneact.server.world import World
    from oneact.store.contract import Row

LIFETIME: Final = 600
INTERVAL: Final = 5
_ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 section 6.1: no vowels, no digits
_LENGTH: Final = 8
_MAX_NAME: Final = 80
_TRIES: Final = 5
_STARTS: Final = 10


def _hash(code: str) -> str:
    return hashlib.sha256(b"oneact-code-1\n" + code.encode()).hexdigest()


def normal(code: str) -> str:
    """Give a typed code without what people add to it."""
    return "".join(letter for letter in code.upper() if letter in _ALPHABET)


def _new_code() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def _spelt(code: str) -> str:
    return f"{code[:4]}-{code[4:]}"


async def start(world: World, client: Client, parameters: Mapping[str, str]) -> dict[str, Json]:
    """Start pairing for an agent; with `pairing_code`, which its person made, the person is already known.

    Refuses `user_code_unknown` for a pairing code that is not good, `rate_limited` after ten in a minute.
    """
    now, code, device_code = world.now(), _new_code(), secrets.token_urlsafe(32)
    world.limits.known(f"device {client.id}", _STARTS, now)
    name = parameters.get("agent_name", client.name).strip()[:_MAX_NAME] or client.name
    account, writes = None, []
    if "pairing_code" in parameters:
        typed = _hash(normal(parameters["pairing_code"]))
        owner = await world.store.one("pairing_code", typed, now)
        world.limits.known(f"pairing code {client.id}", _TRIES, now)
        if owner is None:
            raise Refusal(Reason.USER_CODE_UNKNOWN, "pairing code")
        account = owner["account_id"]
        writes = [Write("use_pairing_code", (typed, now))]
    row = (_hash(device_code), _hash(code), client.id, name, account, INTERVAL, now + LIFETIME)
    if not await world.store.change([*writes, Write("insert_device_code", row)], ()):
        raise Refusal(Reason.USER_CODE_UNKNOWN, "the code was used at this moment")
    if account is not None:
        world.waiting.wake(account)
    return {
        "device_code": device_code,
        "user_code": _spelt(code),
        "verification_uri": world.issuer + addresses.PAIR,
        "expires_in": LIFETIME,
        "interval": INTERVAL,
    }


async def new_pairing_code(world: World, account: str) -> str:
    """Make a code that a person gives to an agent; good once, for ten minutes. Refuses `rate_limited`."""
    code = _new_code()
    world.limits.known(f"new pairing code {account}", _STARTS, world.now())
    await world.store.change([Write("insert_pairing_code", (_hash(code), account, world.now() + LIFETIME))], ())
    return _spelt(code)


async def by_user_code(world: World, account: str, typed: str) -> Row:
    """Give the pending device code that a person typed, with its agent; at most five tries a minute.

    The row has `id client_id agent_name jkt client_name registered_at`. Refuses `user_code_unknown`, `rate_limited`.
    """
    now = world.now()
    world.limits.known(f"user code {account}", _TRIES, now)
    row = await world.store.one("device_code_by_user_code", _hash(normal(typed)), now, account)
    if row is None:
        raise Refusal(Reason.USER_CODE_UNKNOWN, "user code")
    return row


async def waiting_for(world: World, account: str) -> list[Row]:
    """Give the pending device codes of agents that came with this person's own pairing code."""
    return await world.store.all("device_codes_for_account", account, world.now())


async def confirm(world: World, account: str, device_id: str, name: str) -> str:
    """Pair the agent of a device code with a person whose gesture has been verified; give the pairing's id.

    Refuses `user_code_unknown` where the code has ended or been used meanwhile.
    """
    now = world.now()
    row = await world.store.one("device_code", device_id)
    if row is None or row["state"] != "pending" or row["expires_at"] <= now:
        raise Refusal(Reason.USER_CODE_UNKNOWN, "device code")
    pairing, hint = world.new_id(), secrets.token_urlsafe(24)
    given = name.strip()[:_MAX_NAME] or row["agent_name"]
    content: dict[str, Json] = {"pairing": pairing, "client_id": row["client_id"], "jkt": row["jkt"], "name": given}
    done = await world.store.change(
        [
            Write("insert_pairing", (pairing, hint, account, row["client_id"], row["jkt"], given, now)),
            Write("confirm_device_code", (device_id, account, pairing, now)),
            Write("pair_client", (row["client_id"], now), None),
        ],
        [Entry(Kind.AGENT_PAIRED, now, account, "", content)],
    )
    if not done:
        raise Refusal(Reason.USER_CODE_UNKNOWN, "the code was used at this moment")
    return pairing


async def deny(world: World, account: str, device_id: str) -> None:
    """Refuse the agent of a device code."""
    await world.store.change([Write("deny_device_code", (device_id, account), None)], ())


async def poll(world: World, client: Client, device_code: str) -> dict[str, Json]:
    """Answer an agent's poll: its hint once the person has confirmed, and nothing else ever.

    Refuses `grant_unknown`, `authorization_pending`, `slow_down`, `denied`, `expired`.
    """
    now, device_id = world.now(), _hash(device_code)
    row = await world.store.one("device_code", device_id)
    if row is None or row["client_id"] != client.id:
        raise Refusal(Reason.GRANT_UNKNOWN, "device code")
    if row["state"] == "denied":
        raise Refusal(Reason.DENIED, "pairing")
    if row["expires_at"] <= now:
        raise Refusal(Reason.EXPIRED, "device code")
    if row["state"] == "pending":
        if now - world.waiting.polled(f"device {device_id}", now) < INTERVAL:
            raise Refusal(Reason.SLOW_DOWN, "device code")
        raise Refusal(Reason.AUTHORIZATION_PENDING, "pairing")
    return {"token_type": "N_A", "login_hint": row["hint"], "expires_in": 0}


async def pairing_of_hint(world: World, client: Client, hint: str) -> Row:
    """Give the pairing of this agent's hint; anything else is one and the same `hint_unknown`."""
    row = await world.store.one("pairing_by_hint", hint)
    good = row is not None and row["client_id"] == client.id and row["jkt"] == client.jkt
    if row is None or not good or row["blocked_at"] is not None or row["removed_at"] is not None:
        raise Refusal(Reason.HINT_UNKNOWN, "login_hint")
    return row
