"""Someone else opens, or comes for, what a browser has submitted: another browser, or another account in the same."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from tests.forms.air import Browser, person, reason, request_in

if TYPE_CHECKING:
    from tests.forms.air import Air
    from tests.server.visitor import Visitor


def test_another_browser_of_the_same_account_sees_and_runs_nothing(air: Air, ada: Visitor, browser: Browser) -> None:
    address = browser.held()
    ada.approve(request_in(browser.http.get(address).text))
    other = Browser(air)
    for cookie in (None, "x" * 43):
        if cookie is not None:
            other.http.cookies.set("oneact-form", cookie, domain="localhost.local")
        for answer in (other.http.get(address), other.http.get(address + "?wait=1"), other.submit(address)):
            assert (answer.status_code, reason(answer)) == (404, "held_unknown")
            assert "SFO" not in answer.text
    assert air.booked == []
    browser.onward(address)
    assert len(air.booked) == 1


def test_what_another_browser_of_the_account_submits_is_its_own(air: Air, ada: Visitor, browser: Browser) -> None:
    assert ada.account
    other = Browser(air)
    other.http.cookies.set("session-of-the-host", "another", domain="localhost.local")
    assert other.held() != browser.held()


def test_another_account_in_the_same_browser_runs_nothing(air: Air, ada: Visitor, browser: Browser) -> None:
    address = browser.held()
    ada.approve(request_in(browser.http.get(address).text))
    browser.sign_in("eve")
    for answer in (browser.http.get(address), browser.http.get(address + "?wait=1"), browser.submit(address)):
        assert reason(answer) == "held_unknown"
    assert air.booked == []
    browser.sign_in("ada")
    browser.onward(address)
    assert [account for account, _ in air.booked] == ["ada"]


def test_what_another_account_submits_in_the_same_browser_is_its_own(air: Air, ada: Visitor, browser: Browser) -> None:
    address = browser.held()
    eve = person(air, "eve")
    browser.sign_in("eve")
    hers = browser.held()
    assert hers != address
    identifier = request_in(browser.http.get(hers).text)
    assert ada.get(f"/requests/{identifier}").status_code == 404
    assert eve.get(f"/requests/{identifier}").status_code == 200


def test_an_address_that_was_never_given_tells_nothing(ada: Visitor, browser: Browser) -> None:
    assert ada.account
    browser.held()
    for path in ("/oneact/held/", "/oneact/held/x", "/oneact/held/" + "x" * 22):
        assert reason(browser.http.get(path)) == "held_unknown"


def test_an_account_whose_passkey_was_taken_off_meanwhile_has_nothing_done(
    air: Air, ada: Visitor, browser: Browser
) -> None:
    address = browser.held()
    ada.approve(request_in(browser.http.get(address).text))
    with contextlib.closing(sqlite3.connect(air.folder / "air.db")) as connection, connection:
        connection.execute("UPDATE links SET account = 'eve'")  # and pinned for another account
    browser.onward(address)
    assert reason(browser.http.get(address)) == "account_not_linked"
    assert air.booked == []
