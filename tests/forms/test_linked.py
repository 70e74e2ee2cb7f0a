"""A form whose account is linked to an approval server somewhere else, which may be gone, blocked or slow."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from oneact.server import Settings, create_app
from tests.embedded.test_whole import wait_for
from tests.forms.air import FLIGHT, Air, Browser, Clock, reason, request_in
from tests.ports import free_port
from tests.server.peers import RunningServer, serving
from tests.server.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def approval_server(folder: Path, port: int) -> Iterator[RunningServer]:
    """Run the approval server of a folder on a port, as often as wanted."""
    settings = Settings(
        public_url=f"http://localhost:{port}", database=folder / "server.db", key_file=folder / "server.jwk"
    )
    app = create_app(settings)
    with serving(app, port):
        yield RunningServer(settings.public_url, app, Clock(), settings.database)  # type: ignore[arg-type]  # the time


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture(params=["fastapi", "flask", "django"])
def linked(request: pytest.FixtureRequest, port: int, tmp_path: Path) -> Iterator[Air]:
    found = Air(tmp_path, request.param, issuers=[f"http://localhost:{port}"])
    with found.running():
        yield found


def link(server: RunningServer, air: Air) -> Visitor:
    """Give a person who has linked the airline by its own link page."""
    visitor, airline = Visitor(server).sign_up(), Browser(air).http
    csrf = airline.get("/oneact/link").text.partition('name="csrf" value="')[2].partition('"')[0]
    data = {"issuer": server.url, "csrf": csrf}
    started = airline.post("/oneact/link", data=data, headers={"Origin": air.resource})
    asked = httpx.URL(started.headers["location"])
    visitor.get(urlsplit(str(asked)).path, **dict(asked.params))
    answer = visitor.post("/link/finish", **visitor.sign(visitor.post("/link/begin", **dict(asked.params)).json()))
    assert airline.get(answer.json()["location"]).status_code == 200
    return visitor


def test_it_is_approved_on_another_device_and_the_receipt_comes_there(linked: Air, port: int, tmp_path: Path) -> None:
    with approval_server(tmp_path, port) as server:
        person, browser = link(server, linked), Browser(linked)
        address = browser.held()
        identifier = request_in(browser.http.get(address).text)
        assert person.approve(identifier).status_code == 200
        assert browser.onward(address).headers["location"] == address
        assert linked.booked == [("ada", {**FLIGHT, "bags": 0})]
        assert "a program connected to Example Air, not identified" in person.get(f"/requests/{identifier}").text
        wait_for(lambda: server.execute("SELECT 1 FROM receipts WHERE status = 'executed'"))


def test_who_has_blocked_it_is_asked_nothing_any_more(linked: Air, port: int, tmp_path: Path) -> None:
    with approval_server(tmp_path, port) as server:
        person, browser = link(server, linked), Browser(linked)
        address = browser.held()
        identifier = request_in(browser.http.get(address).text)
        assert person.post("/requests/deny", requests=[identifier], block=True).status_code == 200
        browser.onward(address)
        assert browser.http.get(address).status_code == 403
        second = browser.held()
        assert reason(browser.http.get(second)) == "hint_unknown"
        assert server.execute("SELECT count(*) FROM requests") == [(1,)]
    assert linked.booked == []


def test_a_server_that_is_gone_is_asked_when_it_is_back(linked: Air, port: int, tmp_path: Path) -> None:
    with approval_server(tmp_path, port) as server:
        person, browser = link(server, linked), Browser(linked)
        asked = browser.held(bags="1")
    assert browser.onward(asked).status_code == 202
    address = browser.held()
    page = browser.http.get(address)
    assert (page.status_code, "Approve it with your passkey" in page.text) == (202, False)
    assert browser.onward(address).status_code == 202
    with approval_server(tmp_path, port):
        identifier = request_in(wait_for(lambda: shown(browser, address)))
        assert person.approve(identifier).status_code == 200
        assert browser.onward(address).headers["location"] == address
    assert len(linked.booked) == 1


def shown(browser: Browser, address: str) -> str:
    """Give a waiting page that leads to its request; empty where it does not yet."""
    page = browser.http.get(address).text
    return page if "/requests/" in page else ""
