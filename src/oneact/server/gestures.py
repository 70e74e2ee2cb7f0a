"""Gestures: what a passkey is asked to sign, built here, kept for two minutes, used once.

A gesture belongs to one kind and one session. It is taken out of the store before anything about it is verified, so
an answer that fails uses it up as much as one that holds.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import approval, base64url, canonical, form, passkey
from oneact.store import Write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oneact.protocol.canonical import Json
    from oneact.protocol.passkey import Assertion, Credential
    from oneact.server.world import World
    from oneact.store.contract import Value

LIFETIME: Final = 120
REGISTRATION: Final = "registration"  # signs nothing of ours: the challenge of a new passkey
_TRIES: Final = 60


@dataclass(frozen=True, slots=True)
class Gesture:
    """A gesture taken out of the store: the challenge of 32 octets, the value signed, what else the server noted."""

    challenge: bytes
    value: Json
    about: dict[str, Json]


async def begin(
    world: World, kind: str, session_id: str, value: Json, about: dict[str, Json], credentials: Iterable[str]
) -> dict[str, Json]:
    """Keep a gesture and give `{gesture, options}`, the latter for `parseRequestOptionsFromJSON`.

    `credentials` are the ids of the passkeys that may answer; none means any passkey of this RP ID.
    """
    challenge = approval.challenge(kind, value)
    identifier = await _keep(world, kind, session_id, challenge, {"value": value, "about": about})
    allowed: list[Json] = [{"type": "public-key", "id": credential} for credential in credentials]
    options: dict[str, Json] = {
        "challenge": base64url.encode(challenge),
        "rpId": world.settings.rp_id,
        "timeout": 60_000,
        "userVerification": "required",
        "allowCredentials": allowed,
    }
    return {"gesture": identifier, "options": options}


async def begin_registration(world: World, session_id: str, about: dict[str, Json]) -> tuple[str, bytes]:
    """Keep the challenge of a registration; give the gesture's id and the challenge."""
    challenge = secrets.token_bytes(32)
    return await _keep(world, REGISTRATION, session_id, challenge, {"value": None, "about": about}), challenge


async def take(world: World, kind: str, session_id: str, identifier: Json) -> Gesture:
    """Take a gesture of this kind and session out of the store; refuses `gesture_unknown`, also the second time."""
    if not isinstance(identifier, str):
        raise Refusal(Reason.GESTURE_UNKNOWN, "not a text")
    key: tuple[Value, ...] = (identifier, kind, session_id, world.now())
    row = await world.store.one("gesture", *key)
    if row is None or not await world.store.change([Write("use_gesture", key)], ()):
        raise Refusal(Reason.GESTURE_UNKNOWN, f"{kind} {identifier}")
    kept: dict[str, Any] = json.loads(row["value"])
    return Gesture(row["challenge"], kept["value"], kept["about"])


def read(credential: Json) -> Assertion:
    """Read what `PublicKeyCredential.toJSON()` gives for a get; refuses `assertion_malformed`."""
    reason = Reason.ASSERTION_MALFORMED
    response = credential.get("response") if isinstance(credential, dict) else None
    if not isinstance(credential, dict) or not isinstance(response, dict) or credential.get("type") != "public-key":
        raise Refusal(reason, "not a public-key credential")
    return passkey.parse_assertion(
        {
            "credential_id": form.text(credential.get("id"), reason),
            "authenticator_data": response.get("authenticatorData"),
            "client_data_json": response.get("clientDataJSON"),
            "signature": response.get("signature"),
        }
    )


async def verify(world: World, gesture: Gesture, assertion: Assertion, credentials: Iterable[Credential]) -> None:
    """Verify an assertion over a gesture by one of these passkeys, and note the use.

    Refuses `passkey_not_pinned` for any other passkey, or the `assertion_…` of what does not hold.
    """
    found = next((item for item in credentials if item.id == assertion.credential_id), None)
    if found is None:
        raise Refusal(Reason.PASSKEY_NOT_PINNED, assertion.credential_id)
    settings = world.settings
    count = passkey.verify(assertion, found, gesture.challenge, settings.rp_id, (settings.origin,))
    await world.store.change([Write("use_passkey", (found.id, world.now(), count), None)], ())


async def _keep(world: World, kind: str, session_id: str, challenge: bytes, kept: dict[str, Json]) -> str:
    now, identifier = world.now(), world.new_id()
    if session_id:
        world.limits.known(f"gesture {session_id}", _TRIES, now)
    row = (identifier, kind, session_id, challenge, canonical.encode(kept).decode(), now + LIFETIME)
    writes = [Write("end_gestures", (now,), None), Write("insert_gesture", row)]
    if not await world.store.change(writes, ()):
        raise Refusal(Reason.STORE_UNAVAILABLE, "the gesture was not stored")
    return identifier
