"""Another site has a signed-in person's browser submit a form, while the host's own protection is on, or off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.forms.air import Browser, reason, request_in

if TYPE_CHECKING:
    from tests.forms.air import Air
    from tests.server.visitor import Visitor

FORGED = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://evil.localhost"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Referer": "https://evil.example/http://localhost"},
    {},
]


@pytest.mark.parametrize("headers", FORGED)
def test_the_guard_refuses_it_where_the_host_has_no_protection(
    air: Air, ada: Visitor, browser: Browser, headers: dict[str, str]
) -> None:
    air.forgeries = False
    answer = browser.submit(headers=headers)
    assert (answer.status_code, reason(answer)) == (403, "csrf")
    assert ada.server.execute("SELECT count(*) FROM requests") == [(0,)]


def test_the_hosts_own_protection_stays_in_force(air: Air, ada: Visitor, browser: Browser) -> None:
    assert browser.submit(csrf_token="forged").json() == {"detail": "forged"}
    assert ada.server.execute("SELECT count(*) FROM requests") == [(0,)]
    assert browser.submit().status_code == 303
    assert air.booked == []


OWN = [{"Referer": "{own}/form"}, {"Origin": "{own}"}, {"Sec-Fetch-Site": "same-origin", "Origin": "null"}]


@pytest.mark.parametrize("headers", OWN)
def test_a_page_of_its_own_is_taken_by_whatever_the_browser_says_of_it(
    air: Air, ada: Visitor, browser: Browser, headers: dict[str, str]
) -> None:
    assert ada.account
    air.forgeries = air.kind != "django"  # whose own check takes no "null" of anyone
    own = {name: value.format(own=air.resource) for name, value in headers.items()}
    assert browser.submit(headers=own).status_code == 303


def test_a_second_booking_is_not_asked_for_from_elsewhere(air: Air, ada: Visitor, browser: Browser) -> None:
    address = browser.held()
    ada.approve(request_in(browser.http.get(address).text))
    browser.onward(address)
    assert reason(browser.submit(address, headers={"Origin": "https://evil.example"})) == "csrf"
    assert ada.server.execute("SELECT count(*) FROM requests") == [(1,)]
    assert len(air.booked) == 1
