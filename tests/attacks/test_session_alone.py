"""An agent inside the person's session, fresh as it may be, adds a passkey of its own or removes the person's."""

from typing import Any

import pytest

from oneact.testing import SoftwarePasskey
from tests.attacks.stage import reason
from tests.server.peers import RunningServer
from tests.server.visitor import Visitor


@pytest.fixture
def thief(visitor: Visitor) -> Visitor:
    """Whoever holds the cookie of the person's session, a second after they signed in, and a passkey of their own."""
    found = Visitor(visitor.server)
    found.http.cookies.update(visitor.http.cookies)
    return found


def passkeys(server: RunningServer) -> set[str]:
    return {found for (found,) in server.execute("SELECT id FROM passkeys WHERE removed_at IS NULL")}


def finish(visitor: Visitor, signed: dict[str, Any], change: str = "add") -> str:
    path = {"add": "/passkeys/finish", "remove": "/passkeys/remove/finish"}[change]
    return reason(visitor.post(path, **signed))


def test_its_own_passkey_does_not_vouch_for_itself(visitor: Visitor, thief: Visitor) -> None:
    begun = thief.begin_add(thief.passkey, "iPhone")
    assert finish(thief, thief.sign(begun)) == "passkey_not_pinned"
    assert passkeys(visitor.server) == {visitor.passkey.id}
    assert reason(thief.sign_in()) == "passkey_not_pinned"


def test_the_creation_alone_adds_nothing(visitor: Visitor, thief: Visitor) -> None:
    begun = thief.post("/passkeys/begin", name="iPhone").json()
    assert reason(thief.finish_registration("/passkeys/finish", begun)) == "gesture_unknown"
    assert passkeys(visitor.server) == {visitor.passkey.id}


def test_a_sign_in_of_the_person_vouches_for_nothing(visitor: Visitor, thief: Visitor) -> None:
    begun = thief.begin_add(thief.passkey, "iPhone")
    signed = visitor.sign(visitor.post("/signin/begin").json())
    assert finish(thief, signed) == "gesture_unknown"
    assert finish(thief, {"gesture": begun["gesture"], "credential": signed["credential"]}) == "assertion_challenge"
    assert passkeys(visitor.server) == {visitor.passkey.id}


def test_what_the_person_signs_for_their_own_new_passkey_adds_no_other(visitor: Visitor, thief: Visitor) -> None:
    planted = thief.begin_add(thief.passkey, "My second phone")
    signed = visitor.sign(visitor.begin_add(SoftwarePasskey("localhost", visitor.server.url), "My second phone"))
    assert finish(thief, {"gesture": planted["gesture"], "credential": signed["credential"]}) == "assertion_challenge"
    assert passkeys(visitor.server) == {visitor.passkey.id}


def test_what_the_person_signs_in_another_session_adds_nothing_in_this_one(visitor: Visitor, thief: Visitor) -> None:
    own = Visitor(visitor.server)
    own.passkey = visitor.passkey
    own.sign_in()
    assert finish(own, visitor.sign(thief.begin_add(thief.passkey))) == "gesture_unknown"
    assert passkeys(visitor.server) == {visitor.passkey.id}


def test_a_signed_removal_adds_nothing_and_a_signed_addition_removes_nothing(visitor: Visitor, thief: Visitor) -> None:
    second = visitor.add_passkey()
    removal = visitor.sign(visitor.post("/passkeys/remove/begin", id=second.id).json())
    assert finish(thief, removal) == "gesture_unknown"
    addition = visitor.sign(visitor.begin_add(SoftwarePasskey("localhost", visitor.server.url)))
    assert finish(thief, addition, "remove") == "gesture_unknown"
    assert passkeys(visitor.server) == {visitor.passkey.id, second.id}


def test_it_removes_nothing_without_the_persons_gesture(visitor: Visitor, thief: Visitor) -> None:
    second = visitor.add_passkey()
    begun = thief.post("/passkeys/remove/begin", id=visitor.passkey.id).json()
    assert finish(thief, thief.sign(begun), "remove") == "passkey_not_pinned"
    assert passkeys(visitor.server) == {visitor.passkey.id, second.id}


def test_a_passkey_removed_meanwhile_vouches_for_nothing(visitor: Visitor) -> None:
    second = visitor.add_passkey()
    planted = SoftwarePasskey("localhost", visitor.server.url)
    signed = visitor.sign(visitor.begin_add(planted), second)
    assert visitor.remove_passkey(second.id).status_code == 200
    assert finish(visitor, signed) == "passkey_not_pinned"
    assert passkeys(visitor.server) == {visitor.passkey.id}
