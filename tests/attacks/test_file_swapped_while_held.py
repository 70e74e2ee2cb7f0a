"""A file's content is swapped between asking and running: by another submission, or in what the service holds."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING

import pytest

from oneact.protocol import base64url
from tests.forms.air import reason, request_in
from tests.forms.files import CV, Agency, apply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.forms.air import Browser
    from tests.server.visitor import Visitor


@pytest.fixture(params=["fastapi", "flask", "django"])
def air(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Agency]:
    found = Agency(tmp_path, request.param, forgeries=False)
    with found.running():
        yield found


def swap(air: Agency, old: bytes, new: bytes) -> None:
    """Change the body that is held, behind the guard's back, and leave the parameters as they were asked for."""
    with contextlib.closing(sqlite3.connect(air.folder / "air.db")) as connection, connection:
        [(identifier, text)] = connection.execute("SELECT id, submission FROM held").fetchall()
        submission = json.loads(text)
        body = base64url.decode(submission["body"])
        assert old in body
        submission |= {"body": base64url.encode(body.replace(old, new))}
        connection.execute("UPDATE held SET submission = ? WHERE id = ?", (json.dumps(submission), identifier))


def test_an_approval_is_for_the_content_that_was_submitted(air: Agency, ada: Visitor, browser: Browser) -> None:
    address = apply(browser, {"cv": CV}).headers["location"]
    ada.approve(request_in(browser.http.get(address).text))
    other = apply(browser, {"cv": (CV[0], CV[1][::-1], CV[2])}).headers["location"]
    assert browser.http.get(other).status_code == 202
    browser.onward(address)
    assert [found["cv"] for found in air.given] == [CV]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"the life of Ada", b"the life of Eve"),
        (b'filename="cv.pdf"', b'filename="cv.exe"'),
        (b"application/pdf", b"application/xml"),
    ],
)
def test_what_is_swapped_in_the_store_is_not_the_file_that_was_signed(
    air: Agency, ada: Visitor, browser: Browser, old: bytes, new: bytes
) -> None:
    address = apply(browser, {"cv": CV}).headers["location"]
    ada.approve(request_in(browser.http.get(address).text))
    swap(air, old, new)
    browser.onward(address)
    assert reason(browser.http.get(address)) == "act_mismatch"
    assert air.given == []
