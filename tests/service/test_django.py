"""What the Django face makes of signatures, what it refuses of them, and in whose thread a handler runs."""

import functools
import html
import threading
import time
from pathlib import Path
from typing import Annotated, Any

import pytest
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import (
    HttpRequest,
    HttpResponse,
)
from django.urls import include, path
from django.views.decorators.http import require_POST
from pydantic import Field
from tests.service.django_desk import TO_NYC, Desk, Price, Trip, act_on, rows, trip

from oneact.errors import Reason
from oneact.protocol import offer
from oneact.service import LocalAccount
from oneact.service.django import Act, Asker, Body, Form, Guard, Query


def test_everything_of_the_owners_runs_in_the_requests_own_thread(desk: Desk, booked: Any) -> None:
    def quote(trip: Trip) -> Price:
        desk.note("terms")
        return Price(price=f"{rows('SELECT 312')[0]} to {trip.to}")

    def holds(trip: Trip, terms: dict[str, Any]) -> bool:
        desk.note("terms_hold")
        return bool(terms["price"].endswith(trip.to))

    def book(trip: Trip, act: Act) -> dict[str, Any]:
        desk.note("handler")
        rows("INSERT INTO booked VALUES (%s)", act.txn)
        return {"to": trip.to, "account": act.account}

    desk.put(path("book", act_on(desk, book, terms=quote, terms_hold=holds)))
    answer = desk.act("POST", "/book", data={"to": "NYC"})
    assert (answer.status_code, answer.json()) == (200, {"to": "NYC", "account": "ada"})
    assert answer.headers["OneAct-Receipt"]
    assert len(booked()) == 1
    desk.account = lambda _: LocalAccount("ada", "Ada", int(time.time()))
    assert desk.client().get("/oneact/link").status_code == 200
    assert desk.guard.unlink_sync("ada")
    assert desk.ran_in == [
        (what, threading.get_ident()) for what in ("terms", "terms_hold", "handler", "account", "unlinked ada")
    ]


def test_terms_of_a_price_of_ones_own_are_told_to_a_known_agent_alone(desk: Desk) -> None:
    def quote(trip: Trip, asker: Asker) -> Price:
        return Price(price=f"{asker.account} to {trip.to}")

    desk.put(path("book", act_on(desk, trip, terms=quote)))
    asked = desk.open("POST", "/book", desk.person.accept, data={"to": "NYC"}).json()
    assert asked["reason"] == "asking_token_required"
    now = int(time.time())
    token = desk.person.asking_token(desk.guard.resource, desk.agent, now)
    shown = desk.agent.headers("POST", desk.guard.resource + "/book", token, now)
    asked = desk.open("POST", "/book", desk.person.accept | shown, data={"to": "NYC"}).json()
    offered, _ = offer.parse(asked["transaction_challenge"])
    assert offered.act.terms == {"price": "ada to NYC"}


def test_the_account_is_told_by_djangos_own_session(desk: Desk) -> None:
    desk.account = lambda request: LocalAccount("a", request.session["label"], int(time.time()))

    def login(request: HttpRequest) -> HttpResponse:
        request.session["label"] = "Ada of Django"
        return HttpResponse()

    desk.put(path("login", login))
    client = desk.client()
    client.get("/login")
    page = client.get("/oneact/link")
    assert "Ada of Django" in page.text
    cookie = page.cookies[next(name for name in page.cookies if name != settings.SESSION_COOKIE_NAME)]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    started = client.post("/oneact/link", {"issuer": "http://localhost:8400", "csrf": "forged"})
    assert Reason.CSRF.says in html.unescape(started.text)  # the page's own token, and not Django's 403


def test_arguments_come_from_the_route_the_body_and_the_query(desk: Desk) -> None:
    def change(reference: str, number: int, trip: Trip, act: Act, soon: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - as owners write it
        return {"is": [reference, number, trip.to, trip.cabin.value, str(trip.limit), soon], "by": act.account}

    view = act_on(desk, change, method="PUT")
    desk.put(path("v1/", include([path("trips/<str:reference>/<int:number>/", view)])))
    answer = desk.act("PUT", "/v1/trips/A-1/07/?soon=true", data={"to": "NYC", "cabin": "first"})
    assert answer.json() == {"is": ["A-1", 7, "NYC", "first", "10.50", True], "by": "ada"}
    action = desk.guard.actions["do"].action
    assert (action.method, action.path) == ("PUT", "/v1/trips/{reference}/{number}/")
    assert action.sources == {
        "reference": "path", "number": "path", "to": "body", "cabin": "body", "limit": "body", "soon": "query",
    }  # fmt: skip


def test_forms_and_single_members_of_the_body_are_marked(desk: Desk) -> None:
    def note(text: Annotated[str, Form(alias="note")], times: Annotated[int, Form()] = 1) -> dict[str, Any]:
        return {"note": text * times}

    desk.put(path("notes", act_on(desk, note)))
    assert desk.act("POST", "/notes", form={"note": "ab", "times": "2"}).json() == {"note": "abab"}

    def third(
        tags: Annotated[list[str], Body()], from_: Annotated[str, Query("from"), Field(min_length=2)]
    ) -> None: ...

    desk.guard.action("third", intent="Third", summary="Third")(third)
    assert desk.guard.actions["third"].action.sources == {"tags": "body", "from": "query"}


def test_a_handler_is_called_by_its_name_too(desk: Desk) -> None:
    def do(reference: str, act: Act) -> dict[str, str]:
        return {"done": reference, "for": act.account}

    desk.put(path("things/<reference>", act_on(desk, do, method="DELETE")))
    answer = desk.act("POST", "/oneact/act", data={"action": "do", "parameters": {"reference": "A"}})
    assert answer.json() == {"done": "A", "for": "ada"}


async def later(trip: Trip, act: Act) -> Any: ...


def test_an_asynchronous_function_is_refused_at_the_start(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"action do: the handler: write def, not async def"):
        act_on(desk, later)
    with pytest.raises(ValueError, match=r"action do: terms=: write def"):
        act_on(desk, trip, terms=functools.partial(later))
    given: dict[str, Any] = {"account": later}
    with pytest.raises(ValueError, match="account=: write def"):
        Guard(resource="http://localhost:1", name="A", key=tmp_path / "k", store="s", issuers=[], **given)


def test_what_would_not_be_shown_or_signed_is_refused_at_the_start(desk: Desk) -> None:
    def anything(**more: str) -> None: ...

    def bare(to, act: Act) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001 - the mistake that is meant

    def asking(request, to: str) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001 - as Django's views are written

    def typed(page: HttpRequest, to: str) -> None: ...

    @require_POST
    def beneath(to: str) -> None: ...

    @login_required
    def asked(to: str) -> None: ...

    for handler, said in [
        (anything, "more would reach the handler without being shown"),
        (bare, "to has no annotation"),
        (asking, "request is the whole request, which nobody has signed"),
        (typed, "page is the whole request"),
        (beneath, "the handler takes no arguments by name .*'request'"),
        (asked, "the handler takes no arguments by name .*'request'"),
    ]:
        with pytest.raises(ValueError, match=f"action do: {said}"):
            act_on(desk, handler)


def test_decorators_that_take_the_request_stand_above(desk: Desk) -> None:
    desk.put(path("do", require_POST(act_on(desk, trip))))
    assert desk.act("POST", "/do", data=TO_NYC).status_code == 204
    assert desk.client().get("/do").status_code == 405
