"""Submissions without end: held are few for one account, and few in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oneact.service.forms import intake
from tests.forms.air import Browser, person, reason

if TYPE_CHECKING:
    from tests.forms.air import Air
    from tests.server.visitor import Visitor


def test_an_account_has_ten_held_also_from_other_browsers(air: Air, ada: Visitor, browser: Browser) -> None:
    assert len({browser.held(bags=str(number)) for number in range(intake.OF_ACCOUNT)}) == intake.OF_ACCOUNT
    other = Browser(air)
    for found in (browser, other):
        answer = found.submit(bags="11")
        assert (answer.status_code, reason(answer)) == (429, "rate_limited")
    assert browser.submit(bags="3").status_code == 303  # what is held already is found again
    assert ada.server.execute("SELECT count(*) FROM requests") == [(intake.OF_ACCOUNT,)]
    air.clock.ahead = 601
    assert other.submit(bags="11").status_code == 303


def test_there_is_an_end_to_what_is_held_in_all(
    air: Air, ada: Visitor, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ada.account
    person(air, "eve")
    monkeypatch.setattr(intake, "IN_ALL", 2)
    browser.held(bags="1")
    browser.held(bags="2")
    eve = Browser(air, "eve")
    assert reason(eve.submit()) == "rate_limited"
    air.clock.ahead = 601
    eve.sign_in("eve")
    assert eve.submit().status_code == 303
