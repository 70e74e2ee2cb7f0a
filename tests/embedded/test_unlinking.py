"""Whoever has lost every passkey of an account with its own server begins anew after 72 hours, and not before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from oneact.errors import Reason
from oneact.testing import FrozenClock, SoftwarePasskey
from tests.embedded.conftest import visitor
from tests.embedded.notes import Notes, enrol, sign_in
from tests.embedded.test_enrolling import pinned, refused
from tests.server.peers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.visitor import Visitor

WAIT = 72 * 3600


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(int(time.time()))


@pytest.fixture
def notes(tmp_path: Path, clock: FrozenClock) -> Iterator[Notes]:
    found = Notes(tmp_path, more={"now": clock})
    with serving(found.app, found.port):
        yield found


def do(notes: Notes, person: Visitor, what: str) -> httpx.Response:
    url = notes.resource + "/oneact/unlink"
    csrf = person.http.get(url).text.partition('name="csrf" value="')[2].partition('"')[0]
    return person.http.post(url, data={"do": what, "csrf": csrf})


def test_an_account_without_passkeys_makes_a_first_one_again_after_72_hours(notes: Notes, clock: FrozenClock) -> None:
    person = visitor(notes)
    sign_in(person, "ada", clock=clock)
    enrol(person)
    [before] = pinned(notes)
    person.passkey = SoftwarePasskey("localhost", person.passkey.origin)  # the first one is gone
    assert do(notes, person, "ask").status_code == 200
    assert refused(person.post("/enrol/begin")) is Reason.LINK_EXISTS
    clock.advance(WAIT)
    sign_in(person, "ada", clock=clock)
    assert refused(person.post("/enrol/begin")) is Reason.LINK_EXISTS
    assert do(notes, person, "complete").status_code == 200
    assert pinned(notes) == []
    enrol(person)
    [after] = pinned(notes)
    assert after.sub != before.sub
    assert set(after.credentials).isdisjoint(before.credentials)
    events = [event for _, event in notes.notices]
    assert events == ["linked", "unlink_started", "unlinked", "linked"]
