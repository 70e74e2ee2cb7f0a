"""Who may make a first passkey, and what the service pins of it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from oneact.errors import Reason
from oneact.protocol import canonical, roster
from oneact.protocol.roster import SignedRoster
from oneact.server.hosting import Guest
from tests.embedded.conftest import visitor
from tests.embedded.notes import Notes, enrol, sign_in
from tests.protocol.refusing import expect_refusal

if TYPE_CHECKING:
    from oneact.protocol.roster import Roster
    from tests.server.visitor import Visitor


def refused(answer: httpx.Response) -> Reason:
    assert answer.status_code >= 400, answer.text
    return Reason(answer.json()["reason"])


def pinned(notes: Notes, account: str = "ada") -> list[Roster]:
    """Give what the service itself has pinned."""
    with contextlib.closing(sqlite3.connect(notes.folder / "notes.db")) as connection:
        rows = connection.execute("SELECT roster FROM links WHERE account = ?", (account,)).fetchall()
    return [roster.parse(canonical.parse(text.encode())) for (text,) in rows]


def call(notes: Notes, work: Any) -> Any:
    """Run a coroutine in the service's own loop."""
    assert notes.guard.loop is not None
    return asyncio.run_coroutine_threadsafe(work, notes.guard.loop).result(10)


def test_nothing_is_linked_and_the_passkey_is_pinned_when_it_has_signed(notes: Notes, person: Visitor) -> None:
    begun = person.finish_registration("/enrol/created", person.post("/enrol/begin").json()).json()
    assert pinned(notes) == []
    assert person.post("/enrol/finish", **person.sign(begun)).status_code == 200
    [found] = pinned(notes)
    assert [item.id for item in found.credentials] == [person.passkey.id]
    assert (found.iss, found.aud, found.seq) == (notes.url, notes.resource, 1)
    assert person.get("/inbox").status_code == 200


def test_who_is_not_signed_in_is_sent_to_the_services_own_sign_in_and_back(notes: Notes) -> None:
    stranger = visitor(notes)
    to_enrol = stranger.get("/requests/abc")
    assert to_enrol.status_code == 303
    to_sign_in = httpx.get(httpx.URL(notes.resource).join(to_enrol.headers["location"]))
    assert to_sign_in.headers["location"] == "/login?next=%2Fapprove%2Frequests%2Fabc"
    assert refused(stranger.post("/enrol/begin")) is Reason.SESSION_REQUIRED
    assert refused(stranger.post("/requests/begin", requests=["x"])) is Reason.SESSION_REQUIRED


@pytest.mark.parametrize("ago", [301, -10])
def test_a_first_passkey_needs_a_fresh_sign_in(person: Visitor, ago: int) -> None:
    sign_in(person, "ada", ago)
    assert refused(person.post("/enrol/begin")) is Reason.LINK_LOGIN_STALE
    assert "Sign in again" in person.http.get("/enrol").text


@pytest.mark.parametrize("step", ["created", "finish"])
def test_every_step_needs_a_fresh_sign_in(notes: Notes, person: Visitor, step: str) -> None:
    begun = person.post("/enrol/begin").json()
    if step == "created":
        sign_in(person, "ada", 301)
        assert refused(person.finish_registration("/enrol/created", begun)) is Reason.LINK_LOGIN_STALE
    else:
        signed = person.sign(person.finish_registration("/enrol/created", begun).json())
        sign_in(person, "ada", 301)
        assert refused(person.post("/enrol/finish", **signed)) is Reason.LINK_LOGIN_STALE
    assert pinned(notes) == []


def test_what_one_account_began_another_does_not_finish(notes: Notes, person: Visitor) -> None:
    begun = person.post("/enrol/begin").json()
    sign_in(person, "bob")
    assert refused(person.finish_registration("/enrol/created", begun)) is Reason.GESTURE_UNKNOWN
    enrol(person)
    sign_in(person, "ada")
    second = visitor(notes)
    sign_in(second, "ada")
    signed = second.sign(second.finish_registration("/enrol/created", second.post("/enrol/begin").json()).json())
    sign_in(second, "eve")
    assert refused(second.post("/enrol/finish", **signed)) is Reason.GESTURE_UNKNOWN
    assert pinned(notes) == []


def test_a_fresh_session_makes_no_second_first_passkey(notes: Notes, person: Visitor) -> None:
    enrol(person)
    thief = visitor(notes)
    sign_in(thief, "ada")
    assert refused(thief.post("/enrol/begin")) is Reason.LINK_EXISTS
    assert [item.id for [found] in [pinned(notes)] for item in found.credentials] == [person.passkey.id]


def test_a_passkey_that_never_signed_makes_room_for_another(notes: Notes, person: Visitor) -> None:
    other = person.new_passkey()
    first, second = person.post("/enrol/begin").json(), person.post("/enrol/begin").json()
    signing = person.finish_registration("/enrol/created", first).json()
    after = person.finish_registration("/enrol/created", second, other).json()
    assert refused(person.post("/enrol/finish", **person.sign(signing))) is Reason.GESTURE_UNKNOWN
    assert person.post("/enrol/finish", **person.sign(after, other)).status_code == 200
    [found] = pinned(notes)
    assert [item.id for item in found.credentials] == [other.id]


def test_a_passkey_that_has_not_signed_yet_signs_after_a_reload(notes: Notes, person: Visitor) -> None:
    person.finish_registration("/enrol/created", person.post("/enrol/begin").json())
    assert person.get("/inbox").status_code == 303
    assert "Sign with your passkey" in person.http.get("/enrol").text
    assert person.post("/enrol/finish", **person.sign(person.post("/enrol/sign").json())).status_code == 200
    assert len(pinned(notes)) == 1


def test_what_the_service_has_pinned_and_the_server_lost_is_signed_anew_by_the_same_passkey(
    notes: Notes, person: Visitor
) -> None:
    enrol(person)
    [before] = pinned(notes)
    person.server.execute("UPDATE links SET state = 'unlinked'")  # as where the process died between the two
    assert person.get("/inbox").status_code == 303
    assert person.post("/enrol/finish", **person.sign(person.post("/enrol/sign").json())).status_code == 200
    [after] = pinned(notes)
    assert (after.sub, after.seq > before.seq) == (before.sub, True)
    assert notes.notices == [("ada", "linked"), ("ada", "passkeys_changed")]
    assert person.get("/inbox").status_code == 200


def test_a_passkey_that_is_added_is_pinned_and_the_owner_told(notes: Notes, person: Visitor) -> None:
    enrol(person)
    second = person.add_passkey()
    [[link]] = person.server.execute("SELECT id FROM links WHERE state = 'linked'")
    signed = person.sign(person.post("/services/begin", link=link).json())
    assert person.post("/services/finish", **signed).status_code == 200
    assert {item.id for found in pinned(notes) for item in found.credentials} == {person.passkey.id, second.id}
    assert notes.notices == [("ada", "linked"), ("ada", "passkeys_changed")]


def test_a_server_whose_database_is_lost_pins_no_other_passkey(person: Visitor) -> None:
    enrol(person)
    person.server.execute("UPDATE accounts SET guest = NULL")
    assert refused(person.post("/enrol/begin")) is Reason.LINK_EXISTS


def test_a_passkey_that_someone_wrote_into_the_database_is_not_pinned(person: Visitor) -> None:
    enrol(person)
    person.server.execute("UPDATE links SET state = 'unlinked'")
    person.server.execute("UPDATE passkeys SET id = 'c3RvbGVu'")
    assert refused(person.post("/enrol/sign")) is Reason.LINK_EXISTS


def test_support_lets_an_account_begin_anew_and_the_old_passkey_approves_nothing(notes: Notes, person: Visitor) -> None:
    enrol(person)
    assert call(notes, notes.guard.unlink("ada"))
    assert pinned(notes) == []
    assert person.get("/inbox").status_code == 303
    assert "I do not have it any more" in person.get("/enrol").text
    anew = visitor(notes)
    sign_in(anew, "ada")
    enrol(anew)
    [found] = pinned(notes)
    assert [item.id for item in found.credentials] == [anew.passkey.id]
    assert "First passkey" in anew.get("/passkeys").text
    assert refused(anew.post("/passkeys/remove/begin", id=person.passkey.id)) is Reason.NOT_YOURS
    assert [event for _, event in notes.notices] == ["linked", "unlinked", "linked"]
    assert not call(notes, notes.guard.unlink("nobody"))


def test_who_was_unlinked_and_has_the_passkey_signs_with_it_again(notes: Notes, person: Visitor) -> None:
    enrol(person)
    call(notes, notes.guard.unlink("ada"))
    assert person.post("/enrol/finish", **person.sign(person.post("/enrol/sign").json())).status_code == 200
    assert len(pinned(notes)) == 1
    assert person.get("/inbox").status_code == 200


def test_what_is_handed_over_in_the_process_is_checked_like_anything_from_elsewhere(
    notes: Notes, person: Visitor
) -> None:
    enrol(person)
    [before] = pinned(notes)
    thief = person.new_passkey()
    later = replace(before, seq=before.seq + 1, credentials=(thief.credential,))
    signed = SignedRoster(later, thief.get(later.challenge()))
    host = notes.embedded._attached
    for account, expected in (("ada", Reason.ROSTER_UNPINNED), ("bob", Reason.LINK_EXISTS)):
        with expect_refusal(expected):  # for bob the name is another account's
            call(notes, host.link(None, Guest(account, account, 0), signed))  # type: ignore[arg-type]  # needs no world
    other = replace(later, sub="new")
    unvouched = SignedRoster(other, person.passkey.get(other.challenge()))
    with expect_refusal(Reason.ROSTER_UNPINNED):
        call(notes, host.link(None, Guest("bob", "bob", 0), unvouched))  # type: ignore[arg-type]  # needs no world
    assert pinned(notes) == [before]


def test_a_second_passkey_is_vouched_for_and_told_to_the_service(notes: Notes, person: Visitor) -> None:
    enrol(person)
    second = person.add_passkey()
    [[link]] = person.server.execute("SELECT id FROM links")
    told = person.post("/services/finish", **person.sign(person.post("/services/begin", link=link).json()))
    assert told.status_code == 200, told.text
    [found] = pinned(notes)
    assert {item.id for item in found.credentials} == {person.passkey.id, second.id}
    assert person.remove_passkey(person.passkey.id, second).json() == {"not_reached": 0}
    [left] = pinned(notes)
    assert [item.id for item in left.credentials] == [second.id]


def test_each_account_sees_its_own(notes: Notes, person: Visitor) -> None:
    enrol(person)
    other = visitor(notes)
    sign_in(other, "bob")
    enrol(other)
    assert "Ada" in person.get("/passkeys").text
    assert "Bob" in other.get("/passkeys").text
    assert refused(other.post("/passkeys/remove/begin", id=person.passkey.id)) is Reason.NOT_YOURS
    person.http.cookies.clear()
    assert person.get("/passkeys").status_code == 303
