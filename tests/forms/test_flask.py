"""What is a Flask application's own of a form: functions that run after a request, as one that packs its page."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import flask

from tests.forms.air import Air, Browser, person, request_in

if TYPE_CHECKING:
    from pathlib import Path


def pack(answer: flask.Response) -> flask.Response:
    """Pack an answer for whoever takes it so, unless it is packed already, as an extension does."""
    if "gzip" in flask.request.headers.get("Accept-Encoding", "") and "Content-Encoding" not in answer.headers:
        answer.set_data(gzip.compress(answer.get_data()))
        answer.headers["Content-Encoding"] = "gzip"
    return answer


def test_a_page_that_a_function_after_the_request_packs_is_shown_whole(tmp_path: Path) -> None:
    air = Air(tmp_path, "flask")
    air.app.after_request(pack)
    with air.running():
        ada, browser = person(air), Browser(air)
        address = browser.submit("/wish/pony", much="3").headers["location"]
        ada.approve(request_in(browser.http.get(address).text))
        browser.onward(address)
        shown = browser.http.get(address)
    assert shown.headers["content-encoding"] == "gzip"
    assert shown.text == "<p>POST /wish/pony: pony, 3   "
