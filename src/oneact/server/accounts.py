"""Accounts: a person signs up with a name and a passkey, and signs in with the passkey alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import approval, base64url, form
from oneact.protocol.passkey import Credential
from oneact.server import gestures, passkeys, sessions
from oneact.store import Write

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.server.world import World

MAX_NAME: Final = 80


async def begin_sign_up(world: World, name: Json) -> dict[str, Json]:
    """Start an account of this name; give `{gesture, options}` for the creation of its first passkey."""
    given = form.text(name, Reason.REQUEST_MALFORMED, MAX_NAME).strip()
    if not given:
        raise Refusal(Reason.REQUEST_MALFORMED, "an empty name")
    account = world.new_id()
    about: dict[str, Json] = {"account": account, "name": given}
    return await passkeys.creation(world, "", about, given, account, ())


async def sign_up(world: World, gesture_id: Json, credential: Json) -> str:
    """Make the account with its first passkey; give a session's token. Refuses `registration_invalid`."""
    gesture = await gestures.take(world, gestures.REGISTRATION, "", gesture_id)
    created, now = passkeys.registered(world, gesture, credential), world.now()
    account, name = str(gesture.about["account"]), str(gesture.about["name"])
    writes = [
        Write("insert_account", (account, name, now)),
        passkeys.insertion(created, account, "First passkey", now),
    ]
    entries = [
        Entry(Kind.ACCOUNT_CREATED, now, account, "", {"name": name}),
        passkeys.added(created, account, "First passkey", now),
    ]
    if not await world.store.change(writes, entries):
        raise Refusal(Reason.REGISTRATION_INVALID, "the passkey is known already")
    return await sessions.start(world, account, created.id)


async def begin_sign_in(world: World) -> dict[str, Json]:
    """Give `{gesture, options}` for signing in, by any passkey of this server."""
    value: dict[str, Json] = {"iss": world.issuer, "nonce": world.new_id(), "iat": world.now()}
    return await gestures.begin(world, approval.LOGIN, "", value, {}, ())


async def sign_in(world: World, gesture_id: Json, credential: Json) -> str:
    """Verify a login gesture by any account's passkey; give a session's token."""
    gesture = await gestures.take(world, approval.LOGIN, "", gesture_id)
    assertion = gestures.read(credential)
    row = await world.store.one("passkey", assertion.credential_id)
    if row is None:
        raise Refusal(Reason.PASSKEY_NOT_PINNED, assertion.credential_id)
    known = Credential(row["id"], row["public_key"], row["alg"])
    await gestures.verify(world, gesture, assertion, [known])
    _check_handle(credential, row["account_id"])
    return await sessions.start(world, row["account_id"], known.id)


def _check_handle(credential: Json, account: str) -> None:
    """Refuse a user handle that names another account than the passkey's (WebAuthn Level 3, section 7.2, step 6)."""
    response = credential.get("response") if isinstance(credential, dict) else None
    handle = response.get("userHandle") if isinstance(response, dict) else None
    if handle is not None and handle != base64url.encode(account.encode()):
        raise Refusal(Reason.PASSKEY_NOT_PINNED, "the user handle is another account's")
