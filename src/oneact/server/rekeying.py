"""Rekeying: one passkey more or one fewer, each by a gesture of a passkey that the account has already.

A session is not enough, however fresh: whoever is inside it could otherwise add a passkey of their own and approve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import approval, form
from oneact.protocol.passkey import Credential
from oneact.server import ending, gestures, passkeys
from oneact.store import Write

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.passkey import Assertion
    from oneact.server.gestures import Gesture
    from oneact.server.sessions import Session
    from oneact.server.world import World

ADD, REMOVE = "add", "remove"
_MAX_PASSKEYS = 16
_MAX_NAME = 60


async def begin_add(world: World, session: Session, name: Json) -> dict[str, Json]:
    """Give `{gesture, options}` for the creation of one more passkey, which counts for nothing yet."""
    given = form.text(name, Reason.REQUEST_MALFORMED, _MAX_NAME).strip()
    known = await passkeys.of_account(world, session.account)
    if not given or len(known) >= _MAX_PASSKEYS:
        raise Refusal(Reason.REQUEST_MALFORMED, "an empty name, or too many passkeys")
    return await passkeys.creation(world, session.id, {"passkey": given}, session.name, session.account, known)


async def created(world: World, session: Session, gesture_id: Json, credential: Json) -> dict[str, Json]:
    """Verify the creation; give `{gesture, options}` by which a passkey of the account vouches for the new one."""
    gesture = await gestures.take(world, gestures.REGISTRATION, session.id, gesture_id)
    made, name = passkeys.registered(world, gesture, credential), str(gesture.about["passkey"])
    return await _begin(world, session, ADD, {**made.members(), "name": name})


async def add(world: World, session: Session, gesture_id: Json, credential: Json) -> None:
    """Add the passkey that was vouched for; services learn of it when the person signs their next roster.

    Refuses `gesture_unknown`, `passkey_not_pinned` for a passkey that the account has not, `assertion_…`.
    """
    gesture, assertion, said = await _vouched(world, session, ADD, gesture_id, credential)
    assert isinstance(said, dict)  # as `created` built it
    made, name = Credential(str(said["id"]), str(said["public_key"]), str(said["alg"])), str(said["name"])
    writes = [_stands(assertion, session), passkeys.insertion(made, session.account, name, world.now())]
    entry = passkeys.added(made, session.account, name, world.now(), **_evidence(gesture, assertion))
    if not await world.store.change(writes, [entry]):
        raise Refusal(Reason.REGISTRATION_INVALID, "the passkey is known already")


async def begin_remove(world: World, session: Session, identifier: Json) -> dict[str, Json]:
    """Give `{gesture, options}` over the removal of a passkey; refuses `not_yours`, `last_passkey`."""
    asked, known = form.text(identifier, Reason.NOT_YOURS), await passkeys.of_account(world, session.account)
    if asked not in {item.id for item in known}:
        raise Refusal(Reason.NOT_YOURS, asked)
    if len(known) == 1:
        raise Refusal(Reason.LAST_PASSKEY, asked)
    return await _begin(world, session, REMOVE, asked)


async def remove(world: World, session: Session, gesture_id: Json, credential: Json) -> None:
    """Remove a passkey, never the last one; end the account's other sessions and what the passkey has approved.

    Refuses `gesture_unknown`, `passkey_not_pinned`, `assertion_…`, `last_passkey`.
    """
    gesture, assertion, said = await _vouched(world, session, REMOVE, gesture_id, credential)
    identifier, now = str(said), world.now()
    writes = [
        _stands(assertion, session),
        Write("remove_passkey", (identifier, session.account, now)),
        Write("end_other_sessions", (session.account, session.id), None),
    ]
    content = {"id": identifier, **_evidence(gesture, assertion)}
    if not await world.store.change(writes, [Entry(Kind.PASSKEY_REMOVED, now, session.account, "", content)]):
        raise Refusal(Reason.LAST_PASSKEY, identifier)
    await ending.withdraw_where(world, session.account, lambda approved: ending.signer(approved) == identifier)


async def _begin(world: World, session: Session, change: str, said: Json) -> dict[str, Json]:
    value: dict[str, Json] = {
        "iss": world.issuer,
        "account": session.account,
        "nonce": world.new_id(),
        change: said,
    }
    known = await passkeys.of_account(world, session.account)
    return await gestures.begin(world, approval.PASSKEY, session.id, value, {}, [item.id for item in known])


async def _vouched(
    world: World, session: Session, change: str, gesture_id: Json, credential: Json
) -> tuple[Gesture, Assertion, Json]:
    """Verify the gesture by a passkey that the account has; give it, the assertion, and what is to change."""
    gesture, assertion = await gestures.take(world, approval.PASSKEY, session.id, gesture_id), gestures.read(credential)
    if not isinstance(gesture.value, dict) or change not in gesture.value:
        raise Refusal(Reason.GESTURE_UNKNOWN, f"signed for another change than {change}")
    await gestures.verify(world, gesture, assertion, await passkeys.of_account(world, session.account))
    return gesture, assertion, gesture.value[change]


def _stands(assertion: Assertion, session: Session) -> Write:
    """Give the write that holds only while the passkey that vouches is one of the account's."""
    return Write("passkey_stands", (assertion.credential_id, session.account))


def _evidence(gesture: Gesture, assertion: Assertion) -> dict[str, Json]:
    return {"gesture": gesture.value, "webauthn": assertion.members()}
