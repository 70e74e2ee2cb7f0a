"""The host's own check against forged forms reads a form with a file before the guard, and stays in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oneact.protocol import canonical, offer
from tests.forms import django_air
from tests.forms.air import TOKEN, Browser, person, reason, request_in
from tests.forms.files import CV, EACH, FIELD, PATH, Agency, apply, rows
from tests.server.peers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.server.visitor import Visitor


@pytest.fixture(params=["fastapi", "fastapi-field", "flask", "django"])
def air(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Agency]:
    found = Agency(tmp_path, request.param)
    with found.running():
        yield found


def through(ada: Visitor, browser: Browser, address: str) -> httpx.Response:
    """Approve what waits, go on; give what is shown in the end."""
    page = browser.http.get(address).text
    assert ada.approve(request_in(page)).status_code == 200
    assert browser.onward(address).headers["location"] == address
    return browser.http.get(address)


def test_the_handler_gets_the_very_file_that_the_check_has_read(air: Agency, ada: Visitor, browser: Browser) -> None:
    address = apply(browser, {"cv": CV, "photo": ("me.png", b"\x89PNG", "image/png")}).headers["location"]
    page = browser.http.get(address).text
    assert f"<dd>{canonical.sha256(CV[1])}</dd>" in page
    assert TOKEN not in page
    assert air.given == []
    assert through(ada, browser, address).json() == {"size": len(CV[1])}
    assert air.given == [{"account": "ada", "role": "pilot", "cv": CV, "photo": b"\x89PNG"}]


def test_a_forged_one_is_refused_before_anything_is_held(air: Agency, ada: Visitor, browser: Browser) -> None:
    assert ada.account
    answer = apply(browser, {"cv": CV}, token="anotherToken0123456789abcdefghij")
    assert (answer.status_code, answer.json()) == (403, {"detail": "forged"})
    assert rows(air) == 0
    assert apply(browser, {"cv": CV}).status_code == 303
    assert rows(air) == 1


def test_a_token_that_is_none_any_more_when_it_runs_is_refused_then(
    air: Agency, ada: Visitor, browser: Browser
) -> None:
    address = apply(browser, {"cv": CV}).headers["location"]
    browser.http.cookies.set("csrftoken", "anotherToken0123456789abcdefghij", domain="localhost.local")
    assert reason(through(ada, browser, address)) == "internal"  # it is the host's own no
    assert air.given == []


def test_a_name_a_type_and_a_text_of_any_language_are_those_that_were_sent(
    air: Agency, ada: Visitor, browser: Browser
) -> None:
    cv = ("Lebenslauf \u00fc\u4e2d.txt", "Gr\u00fc\u00dfe\n--b--\r\n".encode(), "text/plain; charset=utf-8")
    address = apply(browser, {"cv": cv}, role='p\u00eelote "<&\r\n').headers["location"]
    through(ada, browser, address)
    assert [(found["role"], found["cv"]) for found in air.given] == [('p\u00eelote "<&\r\n', cv)]


def test_what_is_too_large_is_refused_and_nothing_is_held(air: Agency, ada: Visitor, browser: Browser) -> None:
    assert ada.account
    for octets in (EACH + 1, 100_000):
        answer = apply(browser, {"cv": ("cv.pdf", b"x" * octets, "application/pdf")})
        assert answer.status_code == 413
    assert rows(air) == 0


def test_fields_and_files_that_nobody_lists_or_that_come_twice_are_refused(
    air: Agency, ada: Visitor, browser: Browser
) -> None:
    assert ada.account
    assert apply(browser, [("cv", CV), ("cv", ("other.pdf", *CV[1:]))]).status_code == 422
    assert apply(browser, {"cv": CV, "more": CV}).status_code == 422
    assert apply(browser, {"cv": CV}, more="x").status_code == 422
    assert rows(air) == 0


def test_a_body_without_a_length_is_taken_too(air: Agency, ada: Visitor, browser: Browser) -> None:
    sent = {"Sec-Fetch-Site": "same-origin", "Content-Type": "multipart/form-data; boundary=b"}
    parts = [("role", "", "pilot"), (FIELD, "", TOKEN), ("cv", '; filename="cv.pdf"', "the life")]
    body = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{content}\r\n'
        for name, more, content in parts
    )
    answer = browser.http.post(PATH, content=iter([body.encode(), b"--b--\r\n"]), headers=sent)
    through(ada, browser, answer.headers["location"])
    assert [found["cv"] for found in air.given] == [("cv.pdf", b"the life", "text/plain")]


def test_an_agent_is_offered_what_the_check_has_read(air: Agency, browser: Browser) -> None:
    sent = {"Accept-Txn-Challenge": f'?1;as="{air.url}"', "Origin": air.resource}
    answer = browser.http.post(PATH, data={"role": "pilot", FIELD: TOKEN}, files={"cv": CV}, headers=sent)
    assert (answer.status_code, answer.json()["error"]) == (401, "insufficient_authorization")
    about = {"digest": canonical.sha256(CV[1]), "name": CV[0], "type": CV[2], "size": len(CV[1])}
    parameters = offer.parse(answer.json()["transaction_challenge"])[0].act.parameters
    assert parameters == {"role": "pilot", "cv": about, "photo": None}


def test_a_file_that_a_check_has_closed_is_refused_and_nothing_is_held(tmp_path: Path) -> None:
    air = Agency(tmp_path, "fastapi")
    with air.running():
        ada, browser = person(air), Browser(air)
        air.closes = True
        answer = apply(browser, {"cv": CV})
        assert ada.account
        assert (answer.status_code, reason(answer)) == (500, "internal")
        assert rows(air) == 0


def test_a_site_served_by_asgi_takes_it_too(tmp_path: Path) -> None:
    air = Agency(tmp_path, "django")
    with serving(django_air.site_async(air), air.port):
        ada, browser = person(air), Browser(air)
        through(ada, browser, apply(browser, {"cv": CV}).headers["location"])
        assert apply(browser, {"cv": CV}, token="anotherToken0123456789abcdefghij").status_code == 403
        air.guard.stop_sync()
    assert [found["cv"] for found in air.given] == [CV]
