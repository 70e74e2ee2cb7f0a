"""A field is changed between asking and running: by another submission, or in what the service holds."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING

from oneact.protocol import base64url
from tests.forms.air import TOKEN, Browser, reason, request_in

if TYPE_CHECKING:
    from tests.forms.air import Air
    from tests.server.visitor import Visitor


def change(air: Air, **fields: str) -> None:
    """Change what is held, behind the guard's back."""
    with contextlib.closing(sqlite3.connect(air.folder / "air.db")) as connection, connection:
        [(identifier, text)] = connection.execute("SELECT id, submission FROM held").fetchall()
        submission = json.loads(text)
        body = base64url.decode(submission["body"]).decode()
        for old, new in fields.items():
            body = body.replace(old, new)
        submission |= {"body": base64url.encode(body.encode())}
        connection.execute("UPDATE held SET submission = ? WHERE id = ?", (json.dumps(submission), identifier))


def test_an_approval_is_for_what_was_submitted_and_not_for_what_comes_later(
    air: Air, ada: Visitor, browser: Browser
) -> None:
    address = browser.held()
    ada.approve(request_in(browser.http.get(address).text))
    changed = browser.held(to="LAX")
    assert changed != address
    assert browser.http.get(changed).status_code == 202
    browser.onward(address)
    assert [flight["to"] for _, flight in air.booked] == ["NYC"]


def test_what_is_changed_in_the_store_is_not_the_act_that_was_signed(air: Air, ada: Visitor, browser: Browser) -> None:
    address = browser.held()
    ada.approve(request_in(browser.http.get(address).text))
    change(air, NYC="LAX")
    browser.onward(address)
    assert reason(browser.http.get(address)) == "act_mismatch"
    assert air.booked == []


def test_what_the_hosts_protection_refuses_at_the_end_is_not_done(air: Air, ada: Visitor, browser: Browser) -> None:
    address = browser.held()
    ada.approve(request_in(browser.http.get(address).text))
    change(air, **{TOKEN: "another"})
    browser.onward(address)
    assert browser.http.get(address).status_code >= 400
    assert air.booked == []
