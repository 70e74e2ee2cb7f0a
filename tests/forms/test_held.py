"""A form is held until its person has approved exactly what the server received, and is then given on, once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from oneact.errors import Reason
from tests.forms.air import FLIGHT, Browser, reason, request_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.forms.air import Air
    from tests.server.visitor import Visitor

BOOKED = {**FLIGHT, "bags": 0}


def approve(ada: Visitor, browser: Browser, address: str) -> None:
    answer = ada.approve(request_in(browser.http.get(address).text))
    assert answer.status_code == 200, answer.text


def test_nothing_runs_before_the_approval_and_exactly_that_after_it(air: Air, ada: Visitor, browser: Browser) -> None:
    address = browser.held()
    page = browser.http.get(address)
    assert page.status_code == 202
    assert "Fly «SFO» to «NYC» on «2024-03-01»" in page.text
    assert "312.00 USD" in page.text
    assert air.booked == []
    approve(ada, browser, address)
    assert air.booked == []  # not before its own browser comes for it
    ran = browser.onward(address)
    assert (ran.status_code, ran.headers["location"]) == (303, address)
    assert "seen=yes" in ran.headers["set-cookie"]
    assert air.booked == [("ada", BOOKED)]
    shown = browser.http.get(address)
    assert (shown.status_code, shown.headers["location"]) == (303, "/booked/1")
    assert len(air.booked) == 1


def test_the_waiting_page_has_no_script_and_says_where_it_goes_on(air: Air, ada: Visitor, browser: Browser) -> None:
    assert ada.account
    page = browser.http.get(browser.held())
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    every = {"fastapi": 1, "flask": 5, "django": 5}[air.kind]  # where a thread would wait, it does not
    assert page.headers["refresh"] == f"{every}; url={page.url}?wait=1"
    assert 'target="_blank" rel="noopener"' in page.text


def test_the_cookie_is_the_guards_own_and_no_script_reads_it(ada: Visitor, browser: Browser) -> None:
    assert ada.account
    name, *attributes = browser.submit().headers["set-cookie"].split("; ")
    assert name.startswith("oneact-form=")
    assert set(attributes) == {"Path=/", "HttpOnly", "SameSite=Lax"}


def test_a_page_that_waits_goes_on_by_itself_when_the_person_has_approved(
    air: Air, ada: Visitor, browser: Browser
) -> None:
    address = browser.held()
    identifier = request_in(browser.http.get(address).text)
    got: list[httpx.Response] = []
    waiting = threading.Thread(target=lambda: got.append(coming(browser, address)))
    waiting.start()
    ada.approve(identifier)
    waiting.join(15)
    assert got[0].headers["location"] == address
    assert len(air.booked) == 1


def coming(browser: Browser, address: str) -> httpx.Response:
    """Go on as a browser does, until the page has an end."""
    until = time.monotonic() + 15
    while (page := browser.http.get(address + "?wait=1")).status_code == 202:
        assert time.monotonic() < until
    return page


def test_a_handlers_own_page_is_shown_and_shown_again(air: Air, ada: Visitor, browser: Browser) -> None:
    answer = browser.submit("/wish/a%20pony", much="3")
    address = answer.headers["location"]
    approve(ada, browser, address)
    browser.onward(address)
    for _ in range(2):
        shown = browser.http.get(address)
        assert (shown.status_code, shown.text) == (201, "<p>POST /wish/a pony: a pony, 3   ")
        assert shown.headers["x-own"] == "1"
    assert air.booked == [("ada", {"name": "a pony", "much": 3})]


def test_the_same_submission_twice_is_one_question_and_one_booking(air: Air, ada: Visitor, browser: Browser) -> None:
    first, second = browser.held(), browser.held()
    assert first == second
    assert ada.server.execute("SELECT count(*) FROM requests") == [(1,)]
    approve(ada, browser, first)
    browser.onward(first)
    assert len(air.booked) == 1


def test_a_changed_field_is_another_question(ada: Visitor, browser: Browser) -> None:
    assert browser.held() != browser.held(to="LAX")
    assert ada.server.execute("SELECT count(*) FROM requests") == [(2,)]


def test_what_was_done_is_not_done_again_by_the_back_button(air: Air, ada: Visitor, browser: Browser) -> None:
    address = browser.held()
    approve(ada, browser, address)
    browser.onward(address)
    again = browser.submit()
    assert again.status_code == 409
    assert address in again.text
    assert ada.server.execute("SELECT count(*) FROM requests") == [(1,)]
    assert len(air.booked) == 1


def test_the_same_once_more_is_asked_for_by_a_step_of_its_own(air: Air, ada: Visitor, browser: Browser) -> None:
    address = browser.held()
    assert browser.submit(address, much="x").headers["location"] == address  # nothing has been done yet
    approve(ada, browser, address)
    browser.onward(address)
    more = browser.submit(address).headers["location"]
    assert more != address
    approve(ada, browser, more)
    browser.onward(more)
    assert air.booked == [("ada", BOOKED)] * 2


def test_a_denial_is_told_with_the_persons_words_and_the_form_may_be_submitted_again(
    air: Air, ada: Visitor, browser: Browser
) -> None:
    address = browser.held()
    identifier = request_in(browser.http.get(address).text)
    assert ada.post("/requests/deny", requests=[identifier], message="<b>Too early</b>\u202e").status_code == 200
    browser.onward(address)
    page = browser.http.get(address)
    assert page.status_code == 403
    assert "&lt;b&gt;Too early&lt;/b&gt;" in page.text
    assert "\u202e" not in page.text
    assert browser.held() != address
    assert air.booked == []


def test_what_nobody_approves_in_time_has_expired(air: Air, ada: Visitor, browser: Browser) -> None:
    assert ada.account
    address = browser.held()
    air.clock.ahead = 601
    assert browser.http.get(address).status_code == 410
    assert browser.held() != address
    assert air.booked == []


def test_an_approval_that_nobody_comes_for_runs_nothing(air: Air, ada: Visitor, browser: Browser) -> None:
    address = browser.held()
    approve(ada, browser, address)
    air.clock.ahead = 61
    browser.onward(address)
    assert browser.http.get(address).status_code == 410
    assert air.booked == []


def test_terms_that_have_changed_meanwhile_are_not_agreed_to(air: Air, ada: Visitor, browser: Browser) -> None:
    address = browser.held()
    approve(ada, browser, address)
    air.price = "999.00 USD"
    browser.onward(address)
    page = browser.http.get(address)
    assert reason(page) == Reason.TERMS_CHANGED.value
    assert air.booked == []


def test_while_it_runs_another_page_of_the_browser_waits_for_it(air: Air, ada: Visitor, browser: Browser) -> None:
    address = browser.submit("/wish/pony", much="3").headers["location"]
    approve(ada, browser, address)
    air.release.clear()
    running = threading.Thread(target=lambda: browser.onward(address))
    running.start()
    assert air.going.wait(10)
    page = browser.http.get(address + "?wait=1")
    air.release.set()
    running.join(10)
    assert (page.status_code, "It is being done" in page.text) == (202, True)
    assert browser.http.get(address).status_code == 201
    assert len(air.booked) == 1


def test_what_a_handler_does_not_say_is_not_known_and_an_answer_too_large_to_keep_is_told(
    air: Air, ada: Visitor, browser: Browser
) -> None:
    said = {}
    for name, much in (("trouble", "1"), ("pony", "70000")):
        address = browser.submit(f"/wish/{name}", much=much).headers["location"]
        approve(ada, browser, address)
        browser.onward(address)
        said[name] = browser.http.get(address).text
    assert "Not known" in said["trouble"]
    assert "<h1>Done</h1>" in said["pony"]
    assert browser.submit("/wish/trouble", much="1").status_code == 409
    assert len(air.booked) == 1


def test_terms_may_be_the_persons_own(air: Air, ada: Visitor, browser: Browser) -> None:
    address = browser.submit("/upgrade", cabin="First").headers["location"]
    assert "ada&#x27;s own price" in browser.http.get(address).text
    approve(ada, browser, address)
    browser.onward(address)
    assert browser.http.get(address).json() == {"cabin": "First"}
    assert air.booked == [("ada", {"cabin": "First"})]


def test_an_account_without_a_passkey_is_refused_or_passes_as_the_form_says(air: Air, browser: Browser) -> None:
    answer = browser.submit()
    assert (answer.status_code, reason(answer)) == (403, "passkey_needed")
    assert air.resource + "/oneact/link" in answer.text
    passed = browser.submit("/wish/pony", much="3")
    assert (passed.status_code, passed.text) == (201, "<p>POST /wish/pony: pony, 3   ")
    assert air.booked == [(None, {"name": "pony", "much": 3})]


def test_who_is_not_signed_in_is_told_where(ada: Visitor, browser: Browser) -> None:
    assert ada.account
    address = browser.held()
    browser.http.cookies.delete("notes-account")
    for answer, back in ((browser.submit(), "%2F"), (browser.http.get(address), "%2Foneact%2Fheld%2F")):
        assert (answer.status_code, reason(answer)) == (401, "session_required")
        assert f"/login?next={back}" in answer.text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"to": "nowhere"}, Reason.PARAMETERS_INVALID),
        ({"seat": "1A"}, Reason.PARAMETER_UNKNOWN),
        ({"bags": "many"}, Reason.PARAMETERS_INVALID),
        ({"date": "x" * 66_000}, Reason.REQUEST_TOO_LARGE),
    ],
)
def test_what_is_wrong_with_a_form_is_said_on_a_page(
    ada: Visitor, browser: Browser, changes: dict[str, str], expected: Reason
) -> None:
    assert ada.account
    answer = browser.submit(**changes)
    assert (answer.status_code, reason(answer)) == (expected.status, expected.value)


def test_an_agent_with_a_key_is_answered_as_everywhere(air: Air, browser: Browser) -> None:
    answer = browser.submit(headers={"Accept-Txn-Challenge": f'?1;as="{air.url}"', "Cookie": f"forgery={'x'}"})
    assert answer.json() == {"detail": "forged"}  # the host's own protection comes first, for everyone
    air.forgeries = False
    answer = browser.submit(headers={"Accept-Txn-Challenge": f'?1;as="{air.url}"'})
    assert answer.json()["reason"] == "approval_required"


def test_the_guard_tells_at_the_start_what_it_does_not_cover(air: Air) -> None:
    assert [way.replace("<", "{").replace(">", "}") for way in air.guard.uncovered] == ["POST /cancel/{reference}"]


def test_of_many_who_submit_or_come_at_once_one_is_asked_and_one_runs(air: Air, ada: Visitor, browser: Browser) -> None:
    addresses: list[str] = []
    at_once(lambda: addresses.append(browser.held()))
    assert len(set(addresses)) > 0
    first = browser.held()
    assert set(addresses) == {first}
    assert ada.server.execute("SELECT count(*) FROM requests") == [(1,)]
    approve(ada, browser, first)
    pages: list[int] = []
    at_once(lambda: pages.append(browser.http.get(first + "?wait=1").status_code))
    assert set(pages) <= {202, 303}
    assert len(air.booked) == 1
    assert browser.http.get(first).headers["location"] == "/booked/1"


def at_once(work: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
