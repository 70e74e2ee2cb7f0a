"""A form's file stands in the act by digest, name, type and size, and the handler gets the very content approved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import pytest
from fastapi import File, Form, UploadFile
from pydantic import BaseModel

from oneact.protocol import canonical, offer
from oneact.service.fastapi import Act, Guard
from oneact.service.store import holding
from tests.forms.air import Browser, person, reason, request_in
from tests.forms.files import CV, EACH, PATH, Agency, apply, rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.visitor import Visitor

ABOUT = {"digest": canonical.sha256(CV[1]), "name": CV[0], "type": CV[2], "size": len(CV[1])}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}


class Whole(BaseModel):
    cv: UploadFile


@pytest.fixture(params=["fastapi", "flask", "django"])
def air(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Agency]:
    found = Agency(tmp_path, request.param, forgeries=False)
    with found.running():
        yield found


def submit_raw(browser: Browser, body: bytes, kind: str = MULTIPART["Content-Type"]) -> tuple[int, str]:
    sent = {"Sec-Fetch-Site": "same-origin", "Content-Type": kind}
    answer = browser.http.post(PATH, content=body, headers=sent)
    return answer.status_code, reason(answer) if answer.status_code >= 400 else ""


def part(name: str, content: str, more: str = "", kind: str = "") -> str:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n{kind}\r\n{content}\r\n'


def test_the_handler_gets_the_very_file_that_was_shown(air: Agency, ada: Visitor, browser: Browser) -> None:
    answer = apply(browser, {"cv": CV})
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    page = browser.http.get(address).text
    for label, told in [
        ("CV: name", "cv.pdf"),
        ("CV: type", "application/pdf"),
        ("CV: octets", str(len(CV[1]))),
        ("CV: SHA-256", canonical.sha256(CV[1])),
    ]:
        assert f"<dt>{label}</dt><dd>{told}</dd>" in page
    assert "Apply as «pilot» with «cv.pdf»" in page
    ada.approve(request_in(page))
    assert air.given == []
    browser.onward(address)
    assert air.given == [{"account": "ada", "role": "pilot", "cv": CV, "photo": None}]
    assert browser.http.get(address).json() == {"size": len(CV[1])}


def test_a_second_file_is_given_as_its_octets(air: Agency, ada: Visitor, browser: Browser) -> None:
    address = apply(browser, {"cv": CV, "photo": ("me.png", b"\x89PNG", "image/png")}).headers["location"]
    ada.approve(request_in(browser.http.get(address).text))
    browser.onward(address)
    assert [found["photo"] for found in air.given] == [b"\x89PNG"]


def test_another_content_and_another_name_are_other_questions(ada: Visitor, browser: Browser) -> None:
    one, same = apply(browser, {"cv": CV}), apply(browser, {"cv": CV})
    content = apply(browser, {"cv": (CV[0], b"another life", CV[2])})
    name = apply(browser, {"cv": ("other.pdf", *CV[1:])})
    assert one.headers["location"] == same.headers["location"]
    assert len({found.headers["location"] for found in (one, content, name)}) == 3
    assert ada.server.execute("SELECT count(*) FROM requests") == [(3,)]


def test_two_files_of_one_field_are_refused(air: Agency, ada: Visitor, browser: Browser) -> None:
    assert ada.account
    answer = apply(browser, [("cv", CV), ("cv", ("other.pdf", *CV[1:]))])
    assert (answer.status_code, reason(answer)) == (422, "parameter_repeated")
    assert rows(air) == 0


def test_a_file_too_large_is_told_by_its_field_and_nothing_is_held(air: Agency, ada: Visitor, browser: Browser) -> None:
    assert ada.account
    answer = apply(browser, {"cv": ("cv.pdf", b"x" * (EACH + 1), "application/pdf")})
    assert (answer.status_code, reason(answer)) == (413, "request_too_large")
    assert "<strong>cv</strong>" in answer.text
    much = apply(browser, {"cv": ("cv.pdf", b"x" * 300_000, "application/pdf")})
    assert (much.status_code, reason(much)) == (413, "request_too_large")
    assert rows(air) == 0
    assert apply(browser, {"cv": ("cv.pdf", b"x" * EACH, "application/pdf")}).status_code == 303


def test_a_file_input_left_empty_is_no_file(air: Agency, ada: Visitor, browser: Browser) -> None:
    empty = "Content-Type: application/octet-stream\r\n"
    role, photo = part("role", "pilot"), part("photo", "", '; filename=""', empty)
    whole = part("cv", "life", '; filename="cv.txt"', "Content-Type: text/plain\r\n")
    assert submit_raw(browser, f"{role}{photo}{whole}--b--\r\n".encode())[0] == 303
    missing = part("cv", "", '; filename=""', empty)
    assert submit_raw(browser, f"{role}{missing}--b--\r\n".encode()) == (422, "parameters_invalid")
    assert ada.account
    assert rows(air) == 1


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (part("role", "pilot") + part("cv", "x", '; filename="a"') + "--b--\r\n", "", ""),
        (part("role", "pilot") + part("cv", "x", '; filename="a"') + "--b--\r\nmore", "", "request_malformed"),
        (part("role", "pilot") + part("cv", "x", '; filename="a"'), "", "request_malformed"),
        ("before\r\n" + part("role", "pilot") + "--b--\r\n", "", "request_malformed"),
        (part("role", "pilot") + part("cv", "x\r\n--bc", '; filename="a"') + "--b--\r\n", "", "request_malformed"),
        (part("cv", "x", "; filename=\"a\"; filename*=UTF-8''b") + "--b--\r\n", "", "request_malformed"),
        (part("cv", "x", f'; filename="{"a" * 256}"') + "--b--\r\n", "", "request_malformed"),
        (part("cv", "x", '; filename="a"', "Content-Type: multipart/mixed\r\n") + "--b--\r\n", "", "request_malformed"),
        (part("cv", "x", '; filename="a"', "X-Other: 1\r\n") + "--b--\r\n", "", "request_malformed"),
        (part("cv", "x", '; filename=""') + "--b--\r\n", "", "request_malformed"),
        (part("role", "x", "", "Content-Type: text/html\r\n") + "--b--\r\n", "", "media_type"),
        (part("cv", "no file") + part("role", "pilot") + "--b--\r\n", "", "parameter_unknown"),
        (part("role", "x", '; filename="a"') + "--b--\r\n", "", "parameter_unknown"),
        ("role=pilot", "application/x-www-form-urlencoded", "media_type"),
        ("--b--\r\n", "multipart/form-data; boundary=b; boundary=c", "media_type"),
    ],
)
def test_a_form_with_files_is_read_strictly(
    ada: Visitor, browser: Browser, body: str, kind: str, expected: str
) -> None:
    assert ada.account
    assert submit_raw(browser, body.encode(), kind or MULTIPART["Content-Type"])[1] == expected


def test_an_account_keeps_no_more_octets_than_it_may(
    air: Agency, ada: Visitor, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ada.account
    person(air, "eve")
    eve = Browser(air, "eve")
    monkeypatch.setattr(holding, "OCTETS_OF_ACCOUNT", 5000)
    assert apply(browser, {"cv": ("a", b"x" * EACH, "text/plain")}).status_code == 303
    answers = [apply(browser, {"cv": (name, b"x" * EACH, "text/plain")}) for name in "bc"]
    assert reason(answers[-1]) == "rate_limited"
    assert apply(eve, {"cv": CV}).status_code == 303
    monkeypatch.setattr(holding, "OCTETS_IN_ALL", 5000)
    assert reason(apply(eve, {"cv": ("d", b"x" * EACH, "text/plain")})) == "rate_limited"
    air.clock.ahead = 601
    eve.sign_in("eve")
    assert apply(eve, {"cv": ("e", b"x" * EACH, "text/plain")}).status_code == 303
    eve.close()


def test_without_a_passkey_the_file_passes_as_without_a_guard(air: Agency, browser: Browser) -> None:
    assert apply(browser, {"cv": CV}).json() == {"size": len(CV[1])}
    assert air.given[0]["cv"] == CV


def test_a_file_named_in_json_without_its_content_is_refused(air: Agency, ada: Visitor, browser: Browser) -> None:
    assert ada.account
    call = {"action": "apply", "parameters": {"role": "pilot", "cv": ABOUT}}
    answer = browser.http.post("/oneact/act", json=call, headers={"Accept-Txn-Challenge": f'?1;as="{air.url}"'})
    assert (answer.status_code, answer.json()["reason"]) == (415, "media_type")


def test_an_agent_that_sends_the_file_itself_is_offered_the_same_act(air: Agency, browser: Browser) -> None:
    sent = {"Accept-Txn-Challenge": f'?1;as="{air.url}"'}
    answer = browser.http.post(PATH, data={"role": "pilot"}, files={"cv": CV}, headers=sent)
    assert (answer.status_code, answer.json()["error"]) == (401, "insufficient_authorization")
    parameters = offer.parse(answer.json()["transaction_challenge"])[0].act.parameters
    assert parameters == {"role": "pilot", "cv": ABOUT, "photo": None}


def test_what_could_not_be_held_or_shown_is_told_when_it_is_declared(tmp_path: Path) -> None:
    guard = Guard(
        resource="http://localhost:8000", name="Air", key=tmp_path / "air.jwk", store=tmp_path / "air.db",
        account=lambda _: None, issuers=["http://localhost:1"],
    )  # fmt: skip

    async def apply(name: Annotated[str, Form()], cv: UploadFile, act: Act) -> None: ...

    async def default(cv: Annotated[bytes, File()] = b"") -> None: ...

    async def several(cv: list[UploadFile]) -> None: ...

    async def within(whole: Annotated[Whole, Form()]) -> None: ...

    for octets in (0, 17 * 1024 * 1024):
        with pytest.raises(ValueError, match="octets"):
            guard.form("apply", unlinked="refuse", max_file_octets=octets, intent="A", summary="")(apply)
    with pytest.raises(ValueError, match="no default but None"):
        guard.form("apply", unlinked="refuse", intent="A", summary="")(default)
    for refused in (several, within):
        with pytest.raises(ValueError, match="action apply"):
            guard.form("apply", unlinked="refuse", intent="A", summary="")(refused)
