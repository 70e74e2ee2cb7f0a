"""What is a Django site's own of a form: its protection, its transactions, its threads, and what it is served by."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import pytest
from django.conf import settings
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path, reverse
from django.views import View

from oneact.service.django import Act, Form, Guard
from tests.forms import django_air
from tests.forms.air import FLIGHT, TOKEN, Air, Browser, Flight, Terms, person, reason, request_in
from tests.server.peers import serving
from tests.service.django_desk import Desk
from tests.service.django_site import urlconf
from tests.spec.literal import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.visitor import Visitor

SAID: dict[str, Any] = {"unlinked": "refuse", "intent": "Make a wish", "summary": "Wish for {name}"}


@pytest.fixture
def air(tmp_path: Path) -> Iterator[Air]:
    found = Air(tmp_path, "django")
    with found.running():
        yield found


@pytest.fixture
def ada(air: Air) -> Visitor:
    return person(air)


@pytest.fixture
def browser(air: Air) -> Browser:
    return Browser(air)


def through(ada: Visitor, browser: Browser, **changes: str) -> httpx.Response:
    """Submit, approve, go on; give what is shown in the end."""
    address = browser.held(**changes)
    assert ada.approve(request_in(browser.http.get(address).text)).status_code == 200
    assert browser.onward(address).headers["location"] == address
    return browser.http.get(address)


def test_a_site_served_by_asgi_holds_and_runs_it_too(tmp_path: Path) -> None:
    air = Air(tmp_path, "django")
    with serving(django_air.site_async(air), air.port):
        ada, browser = person(air), Browser(air)
        assert through(ada, browser).headers["location"] == "/booked/1"
        assert through(ada, browser, path="/wish/a%20pony", much="3").text == "<p>POST /wish/a pony: a pony, 3   "
        assert browser.submit(csrf_token="forged").status_code == 403
        air.guard.stop_sync()
    assert [what for _, what in air.booked] == [{**FLIGHT, "bags": 0}, {"name": "a pony", "much": 3}]


def test_it_runs_in_the_thread_of_the_refresh_and_within_all_middleware(
    air: Air, ada: Visitor, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str, int]] = []
    monkeypatch.setattr(air, "book", lambda *_: seen.append(("", "handler", threading.get_ident())))

    def noting(get_response: Any) -> Any:
        def middleware(request: HttpRequest) -> Any:
            seen.append((request.method or "", request.path, threading.get_ident()))
            return get_response(request)

        return middleware

    monkeypatch.setattr(django_air, "noting", noting, raising=False)
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, "tests.forms.django_air.noting"]):
        assert through(ada, browser).headers["location"] == "/booked/1"
    assert [what for *what, _ in seen] == [["POST", "/book"], ["", "handler"]]
    assert len({thread for *_, thread in seen}) == 1


def test_middleware_around_the_refresh_finds_the_addresses_of_its_own_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A site may have other addresses for some of its requests: those of the form are not those of the refresh."""
    around, found = urlconf([]), list[str]()

    def choosing(get_response: Any) -> Any:
        def middleware(request: HttpRequest) -> Any:
            if request.path.startswith("/oneact/"):
                request.urlconf = around  # type: ignore[assignment]  # as a module would be one
            answer = get_response(request)
            if request.GET.get("wait"):
                found.append(reverse("within"))
            return answer

        return middleware

    monkeypatch.setattr(django_air, "choosing", choosing, raising=False)
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, "tests.forms.django_air.choosing"]):
        air = Air(tmp_path, "django")
        around.urlpatterns = [*air.guard.urls, path("within", django_air.account, name="within")]
        with air.running():
            assert through(person(air), Browser(air)).headers["location"] == "/booked/1"
    assert found == ["/within"]


def test_a_mount_of_any_language_is_the_same_for_the_handler_as_for_its_form(tmp_path: Path) -> None:
    air = Air(tmp_path, "django")
    site, mount = air.app, "/fl\u00fcge".encode().decode("latin-1")  # as a server writes it
    air.app = lambda environ, start: site({**environ, "SCRIPT_NAME": mount}, start)
    with air.running():
        shown = through(person(air), Browser(air), path="/wish/pony", much="3")
    assert shown.text == "<p>POST /fl\u00fcge/wish/pony: pony, 3   "


def test_a_page_that_middleware_packs_is_shown_whole(ada: Visitor, browser: Browser) -> None:
    with override_settings(MIDDLEWARE=["django.middleware.gzip.GZipMiddleware", *settings.MIDDLEWARE]):
        shown = through(ada, browser, path="/wish/pony", much="900")
    assert shown.text == "<p>POST /wish/pony: pony, 900" + " " * 900


def test_a_handler_of_a_site_with_the_guards_middleware_is_given_it_too(
    air: Air, ada: Visitor, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(django_air, "guard", air.guard, raising=False)
    own = "oneact.service.django.Middleware"
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, own], ONEACT_GUARD="tests.forms.django_air.guard"):
        assert through(ada, browser).headers["location"] == "/booked/1"
    assert len(air.booked) == 1


def test_a_form_and_its_handler_are_within_the_transactions_of_the_site_once(
    air: Air, ada: Visitor, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    within: list[bool] = []
    monkeypatch.setattr(air, "book", lambda *_: within.append(connection.in_atomic_block))
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    assert through(ada, browser).headers["location"] == "/booked/1"
    assert within == [True]


def test_a_form_that_takes_no_files_refuses_one_after_djangos_check_has_read_it(air: Air, browser: Browser) -> None:
    answer = browser.http.post(
        "/book", data={"csrfmiddlewaretoken": TOKEN}, files={"to": b"NYC"}, headers={"Origin": air.resource}
    )
    assert (answer.status_code, reason(answer)) == (415, "media_type")


def test_an_agent_with_a_key_asks_by_the_forms_name_without_its_token(air: Air) -> None:
    accepts = {"Accept-Txn-Challenge": f'?1;as="{air.url}"'}
    asked = httpx.post(
        air.resource + "/oneact/act", json={"action": "book_flight", "parameters": FLIGHT}, headers=accepts
    )
    assert (asked.status_code, asked.json()["reason"]) == (401, "approval_required")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    yield found
    found.guard.stop_sync()


def wish(name: Annotated[str, Form()], act: Act) -> None: ...


def test_what_is_in_front_of_a_form_is_left_as_it_is(desk: Desk) -> None:
    view = desk.guard.form("wish", **SAID)(wish)
    for protection in ("csrf_exempt", "login_required"):
        assert not hasattr(view, protection)


def test_a_class_has_a_form_or_acts_of_agents(desk: Desk) -> None:
    guard = desk.guard

    class Wishes(View):
        @guard.form("wish", **SAID)
        def post(self, name: Annotated[str, Form()], act: Act) -> None: ...

        @guard.action("unwish", intent="Unwish", summary="Unwish", method="DELETE")
        def delete(self, act: Act) -> None: ...

    with pytest.raises(ValueError, match=r"\['delete'\] are for agents"):
        guard.bind(desk.put(path("wishes", Wishes.as_view())))


def test_the_view_of_the_document_is_bound_as_it_stands_there(desk: Desk) -> None:
    [text] = re.findall(r"```python\n# views\.py\n(.*?)```", (ROOT / "docs" / "forms.md").read_text("utf-8"), re.DOTALL)

    def quote(flight: Flight) -> Terms: ...

    names: dict[str, Any] = {
        "View": View,
        "guard": desk.guard,
        "quote": quote,
        "Annotated": Annotated,
        "Flight": Flight,
    }
    names |= {"Form": Form, "Act": Act}
    exec(text, names)  # noqa: S102 - the document's own text
    desk.guard.bind(desk.put(path("book", names["Book"].as_view())))
    assert desk.guard.actions["book_flight"].action.path == "/book"
    assert desk.open("POST", "/book", {}, form=FLIGHT).json() == {"detail": "forged"}


def test_a_class_with_a_form_keeps_the_check_of_forged_ones(desk: Desk) -> None:
    guard = desk.guard

    class Wishes(View):
        def get(self, request: HttpRequest) -> HttpResponse: ...

        @guard.form("wish", **SAID)
        def post(self, name: Annotated[str, Form()], act: Act) -> None: ...

        def put(self, request: HttpRequest) -> HttpResponse: ...

    def anything(request: HttpRequest) -> HttpResponse: ...

    view = Wishes.as_view()
    guard.bind(desk.put(path("wishes", view), path("any", anything)))
    assert not hasattr(view, "csrf_exempt")
    assert guard.uncovered == ("PUT /wishes", "any method /any")


def test_a_guard_without_forms_names_no_way_past_it(desk: Desk) -> None:
    def anything(request: HttpRequest) -> HttpResponse: ...

    guard: Guard = desk.guard
    guard.bind(urlconf([*guard.urls, path("any", anything)]))
    assert guard.uncovered == ()
