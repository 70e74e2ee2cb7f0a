"""Confirming a pairing: the person has found the agent by its code, names it, and signs exactly that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneact.errors import Reason, Refusal
from oneact.protocol import approval, form
from oneact.server import gestures, pairing, passkeys

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.server.sessions import Session
    from oneact.server.world import World


async def begin(world: World, session: Session, device_id: Json, name: Json) -> dict[str, Json]:
    """Give `{gesture, options}` over `{iss, client_id, jkt, name, nonce}`; refuses `user_code_unknown`."""
    identifier = form.text(device_id, Reason.USER_CODE_UNKNOWN, 128)
    given = form.text(name, Reason.REQUEST_MALFORMED, 80).strip()
    row = await world.store.one("device_code", identifier)
    if row is None or row["state"] != "pending" or row["expires_at"] <= world.now() or not given:
        raise Refusal(Reason.USER_CODE_UNKNOWN, "device code")
    if row["account_id"] not in {None, session.account}:
        raise Refusal(Reason.USER_CODE_UNKNOWN, "another person's")
    value: dict[str, Json] = {
        "iss": world.issuer,
        "client_id": row["client_id"],
        "jkt": row["jkt"],
        "name": given,
        "nonce": world.new_id(),
    }
    known = await passkeys.of_account(world, session.account)
    about: dict[str, Json] = {"device": identifier}
    return await gestures.begin(world, approval.PAIR, session.id, value, about, [item.id for item in known])


async def confirm(world: World, session: Session, gesture_id: Json, credential: Json) -> str:
    """Verify the gesture and pair the agent under the name that was signed; give the pairing's id."""
    gesture = await gestures.take(world, approval.PAIR, session.id, gesture_id)
    known = await passkeys.of_account(world, session.account)
    await gestures.verify(world, gesture, gestures.read(credential), known)
    name = gesture.value["name"] if isinstance(gesture.value, dict) else ""
    return await pairing.confirm(world, session.account, str(gesture.about["device"]), str(name))
