"""What the Django face makes of routes and signatures, what it refuses, and in whose thread a handler runs."""

import functools
import html
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from enum import Enum
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import pytest
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.decorators import login_not_required, login_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection, transaction
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.test import override_settings
from django.urls import include, path, re_path, register_converter
from django.urls.converters import StringConverter
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from pydantic import BaseModel, Field
from tests.service import django_site
from tests.service.django_desk import Desk

from oneact.errors import Reason, Refusal
from oneact.service import LocalAccount
from oneact.service.django import Act, Answer, Body, Form, Guard, Middleware, Query, answers, incoming
from oneact.service.django.handler import VISITED


class Cabin(Enum):
    ECONOMY = "economy"
    FIRST = "first"


class Trip(BaseModel):
    to: str
    cabin: Cabin = Cabin.ECONOMY
    limit: Decimal = Decimal("10.50")


class Price(BaseModel):
    price: str


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    found.person.link(found.guard, "ada")
    yield found
    found.guard.stop_sync()


@pytest.fixture
def booked() -> Iterator[Callable[[], list[str]]]:
    """A table in the database of this thread, with what stands in it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE booked (txn TEXT)")
    yield lambda: rows("SELECT txn FROM booked")
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE booked")


def rows(statement: str, *values: Any) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()] if cursor.description else []


def act_on(desk: Desk, handler: Callable[..., Any], **more: Any) -> Callable[..., Any]:
    return desk.guard.action("do", intent="Do it", summary="Do", **more)(handler)


def trip(trip: Trip, act: Act) -> None: ...


TO_NYC = {"to": "NYC", "cabin": "economy", "limit": "10.50"}


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


@pytest.mark.parametrize("sent", ["/trips/Z%C3%BCrich", "/trips/%E6%9D%B1%20%2541", "/trips/a%25b;c"])
def test_an_address_in_any_letters_is_the_one_that_was_signed(desk: Desk, sent: str) -> None:
    def do(to: str) -> dict[str, str]:
        return {"to": to}

    desk.put(path("trips/<to>", act_on(desk, do)))
    assert desk.act("POST", sent).json() == {"to": {"Z": "Zürich", "%": "東 %41", "a": "a%b;c"}[sent[7]]}


def test_patterns_of_named_parts_are_published_as_paths(desk: Desk) -> None:
    def do(which: uuid.UUID, day: date) -> dict[str, str]:
        return {"which": str(which), "day": str(day)}

    inner = re_path(r"^on-(?P<day>[0-9-]+)/$", act_on(desk, do))
    desk.put(re_path(r"^v1\.0/", include([path("trips/<uuid:which>/", include([inner]))])))
    which = str(uuid.uuid4())
    assert desk.act("POST", f"/v1.0/trips/{which}/on-2024-03-01/").json() == {"which": which, "day": "2024-03-01"}
    assert desk.guard.actions["do"].action.path == "/v1.0/trips/{which}/on-{day}/"


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


class Rooms(View):
    label = "room"

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"rooms of {request.path}")


def rooms_of(desk: Desk, **members: Any) -> type[View]:
    def post(self: Any, number: int) -> dict[str, Any]:
        return {self.label: number, "at": self.request.path}

    guarded = desk.guard.action("do", intent="Do", summary="Do")(post)
    return type("Guarded", (Rooms,), {"post": guarded, **members})


def test_the_method_of_a_view_class_is_a_handler_with_its_self(desk: Desk) -> None:
    desk.put(path("rooms", rooms_of(desk).as_view(label="suite")))
    assert desk.act("POST", "/rooms?number=3").json() == {"suite": 3, "at": "/rooms"}
    by_name = {"action": "do", "parameters": {"number": 3}}
    assert desk.act("POST", "/oneact/act", data=by_name).json() == {"suite": 3, "at": "/oneact/act"}
    assert desk.client().get("/rooms").text == "rooms of /rooms"
    assert desk.guard.actions["do"].action.path == "/rooms"
    assert VISITED.get(None) is None  # nothing of a request outlives it in its thread


def test_a_view_class_beside_whose_guarded_method_others_stand_is_exempted_by_its_owner(desk: Desk) -> None:
    forms = rooms_of(desk, put=lambda _, request: HttpResponse(request.path))
    with pytest.raises(ValueError, match=r"/rooms: write csrf_exempt\(…as_view\(\)\)"):
        desk.guard.bind(desk.put(path("rooms", forms.as_view())))
    assert desk.open("PUT", "/rooms", {}).status_code == 403
    desk.put(path("rooms", csrf_exempt(forms.as_view())))
    assert desk.act("POST", "/rooms?number=3").status_code == 200


def test_a_view_class_of_guarded_methods_alone_needs_nothing_more(desk: Desk) -> None:
    desk.put(path("rooms", rooms_of(desk, get=None, http_method_names=["post"]).as_view()))
    assert desk.act("POST", "/rooms?number=3").status_code == 200


def test_a_method_whose_class_no_route_has_is_not_run_by_its_name(desk: Desk) -> None:
    rooms_of(desk)
    asked = desk.open("POST", "/oneact/act", desk.person.accept, data={"action": "do", "parameters": {"number": 3}})
    assert (asked.status_code, asked.json()["reason"]) == (500, "internal")


def sold() -> Any:
    raise Http404("sold out")


def denied() -> Any:
    raise PermissionDenied("not yours")


def bad() -> Any:
    raise BadRequest("no such day")


def with_cookies() -> HttpResponse:
    made = HttpResponse("set", headers={"X-Note": "n"})
    made.set_cookie("one", "1", httponly=True)
    made.set_cookie("two", "a b", max_age=5)
    return made


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        (lambda: Trip(to="NYC"), 200, TO_NYC),
        (lambda: ({"trips": [Trip(to="NYC")]}, 201), 201, {"trips": [TO_NYC]}),
        (lambda: [1, date(2024, 3, 1)], 200, [1, "2024-03-01"]),
        (lambda: JsonResponse({"at": 1}, status=202, headers={"X-Note": "n"}), 202, {"at": 1}),
        (lambda: Answer(207, b"[]"), 207, []),
        (lambda: None, 204, None),
        (lambda: ({"no": 1}, 422), 422, {"no": 1}),
        (lambda: HttpResponseRedirect("/elsewhere"), 302, None),
        (sold, 404, {"detail": "sold out"}),
        (denied, 403, {"detail": "not yours"}),
        (bad, 400, {"detail": "no such day"}),
    ],
)  # fmt: skip
def test_whatever_django_takes_for_an_answer_is_one(desk: Desk, result: Any, status: int, body: Any) -> None:
    desk.put(path("do", act_on(desk, result)))
    answer = desk.act("POST", "/do")
    assert answer.status_code == status
    assert answer.headers["OneAct-Receipt"]
    assert body is None or answer.json() == body
    assert answer.headers.get("X-Note", "n") == "n"


def test_a_response_keeps_its_type_headers_and_cookies(desk: Desk) -> None:
    desk.put(path("do", act_on(desk, with_cookies)))
    answer = desk.act("POST", "/do")
    assert (answer.headers["Content-Type"], answer.text) == ("text/html; charset=utf-8", "set")
    assert answer.headers["X-Note"] == "n"
    assert {name: (found.value, found["httponly"]) for name, found in answer.cookies.items()} == {
        "one": ("1", True), "two": ("a b", ""),
    }  # fmt: skip


def test_header_fields_that_come_twice_are_sent_as_one_and_a_redirect_can_be_followed(desk: Desk) -> None:
    twice = (("Link", "<a>"), ("Link", "<b>"), ("Location", "/oneact/jwks.json"))
    desk.put(path("do", act_on(desk, lambda: Answer(303, headers=twice))))
    answer = desk.act("POST", "/do")
    assert (answer.headers["Link"], answer.url) == ("<a>, <b>", "/oneact/jwks.json")


@pytest.mark.parametrize("lines", [["no cookie"], ["a=1; Path=/", "a=2; Path=/b"]])
def test_a_cookie_that_django_would_lose_is_a_mistake(lines: list[str]) -> None:
    with pytest.raises(ValueError, match="a cookie that comes twice, or in no form"):
        answers.response(Answer(200, headers=tuple(("Set-Cookie", line) for line in lines)))


@pytest.mark.parametrize(
    "result",
    [lambda: StreamingHttpResponse(iter("ab")), lambda: FileResponse(BytesIO(b"ab")), lambda: {1, 2}],
)
def test_an_answer_that_no_receipt_can_cover_leaves_the_outcome_unknown(desk: Desk, result: Any) -> None:
    desk.put(path("do", act_on(desk, result)))
    answer = desk.act("POST", "/do")
    assert (answer.status_code, answer.json()["reason"]) == (409, "already_spent")


def test_terms_that_say_no_refuse_the_parameters(desk: Desk) -> None:
    def quote(trip: Trip) -> Price:
        raise Http404(f"nobody flies to {trip.to}")

    desk.put(path("do", act_on(desk, trip, terms=quote)))
    desk.guard.bind(desk.urls)
    asked = desk.open("POST", "/do", desk.person.accept, data={"to": "NOWHERE"})
    assert (asked.status_code, asked.json()["reason"]) == (422, "parameters_invalid")
    assert "NOWHERE" not in asked.text


@pytest.fixture
def atomic() -> Iterator[None]:
    """ATOMIC_REQUESTS, as a site sets it."""
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = False


@pytest.mark.usefixtures("atomic")
@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("error", [None, Http404("sold out"), ValueError("broken")])
def test_a_handler_has_the_transaction_of_atomic_requests_and_an_error_undoes_it(
    desk: Desk,
    booked: Any,
    error: Exception | None,
    by_name: bool,  # noqa: FBT001 - a case
) -> None:
    def do(act: Act) -> None:
        assert connection.in_atomic_block
        rows("INSERT INTO booked VALUES (%s)", act.txn)
        if error is not None:
            raise error

    desk.put(path("do", act_on(desk, do)))
    body = {"action": "do", "parameters": {}} if by_name else None
    status = desk.act("POST", "/oneact/act" if by_name else "/do", data=body).status_code
    assert (status, len(booked())) == {None: (204, 1)}.get(error, (404 if isinstance(error, Http404) else 409, 0))


@pytest.mark.usefixtures("atomic", "booked")
@pytest.mark.parametrize("by_name", [False, True])
def test_what_cannot_be_committed_is_never_told_as_executed(desk: Desk, by_name: bool) -> None:  # noqa: FBT001 - a case
    def do(act: Act) -> None:
        rows("INSERT INTO booked VALUES (%s)", act.txn)
        transaction.on_commit(lambda: 1 / 0)  # as a deferred constraint, it fails when the handler has returned

    desk.put(path("do", act_on(desk, do)))
    body = {"action": "do", "parameters": {}} if by_name else None
    assert desk.act("POST", "/oneact/act" if by_name else "/do", data=body).json()["reason"] == "already_spent"


@pytest.mark.usefixtures("atomic", "booked")
def test_a_handler_that_wants_no_transaction_has_none(desk: Desk) -> None:
    @transaction.non_atomic_requests
    def do() -> dict[str, bool]:
        return {"atomic": connection.in_atomic_block}

    desk.put(path("do", act_on(desk, do)))
    assert desk.act("POST", "/do").json() == {"atomic": False}


@pytest.mark.usefixtures("atomic")
def test_a_view_class_with_other_methods_is_taken_out_of_atomic_requests_by_its_owner(desk: Desk) -> None:
    view = rooms_of(desk).as_view()
    with pytest.raises(ValueError, match=r"write transaction.non_atomic_requests"):
        desk.guard.bind(desk.put(path("rooms", view)))
    desk.put(path("rooms", transaction.non_atomic_requests(view)))
    assert desk.act("POST", "/rooms?number=3").status_code == 200


def test_a_body_that_was_read_before_the_guard_is_refused(desk: Desk) -> None:
    def note(text: Annotated[str, Form()]) -> None: ...

    view = act_on(desk, note)

    def looking(request: HttpRequest, **path: Any) -> Any:
        assert request.read(1) == b"t"
        return view(request, **path)

    looking.csrf_exempt = True  # type: ignore[attr-defined]  # as for any view of the site's own
    desk.put(path("notes", looking))
    desk.guard.bind(desk.urls)
    asked = desk.open("POST", "/notes", desk.person.accept, form={"text": "a"})
    assert (asked.status_code, asked.json()["reason"]) == (500, "internal")


def test_a_body_in_chunks_is_refused_since_django_reads_none(desk: Desk) -> None:
    desk.put(path("do", act_on(desk, trip)))
    desk.guard.bind(desk.urls)
    asked = desk.client().generic(
        "POST", "/do", headers={**desk.person.accept, "Transfer-Encoding": "chunked"}, **{"wsgi.input_terminated": True}
    )
    assert (asked.status_code, asked.json()["reason"]) == (400, "request_malformed")


@pytest.mark.parametrize(("limit", "octets"), [(None, 300_000), (100, 200)])
def test_a_body_over_the_guards_bound_or_the_sites_is_refused(desk: Desk, limit: int | None, octets: int) -> None:
    desk.put(path("do", act_on(desk, trip)))
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=limit):
        asked = desk.open("POST", "/do", desk.person.accept, data={"to": "x" * octets})
    assert (asked.status_code, asked.json()["reason"]) == (413, "request_too_large")


class Gone(BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise OSError(size)


@pytest.mark.parametrize("stream", [BytesIO(b"{}"), Gone()])
def test_a_caller_that_goes_away_has_sent_nothing(stream: BytesIO) -> None:
    sent = {"REQUEST_METHOD": "POST", "PATH_INFO": "/do", "CONTENT_LENGTH": "9", "wsgi.input": stream}
    with pytest.raises(Refusal) as refused:
        incoming.read(WSGIRequest(sent))
    assert refused.value.reason is Reason.REQUEST_MALFORMED


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


class Thing(StringConverter):
    pass


class Made(StringConverter):
    def to_python(self, value: str) -> dict[str, str]:
        return {"id": value}


register_converter(Thing, "thing")
register_converter(Made, "made")


def test_a_second_route_whose_converter_makes_objects_does_not_run_the_handler(desk: Desk) -> None:
    view = act_on(desk, pay)
    desk.put(path("pay/<to>", view), path("others/<made:to>", view))
    desk.guard.bind(desk.urls)
    asked = desk.open("POST", "/others/me", desk.person.accept)
    assert (asked.status_code, asked.json()["reason"]) == (500, "internal")


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (lambda view: path("trips/<other>", view), r"the path has \['other'\], which are no arguments"),
        (lambda view: path("trips", view, {"to": "NYC"}), "nothing but its path, no dict of arguments"),
        (lambda view: path("v1/", include([path("trips", view)]), {"to": "NYC"}), "no dict of arguments"),
        (lambda view: path("trips/<path:to>", view), "to is read by a converter other than"),
        (lambda view: path("trips/<thing:to>", view), "to is read by a converter other than"),
        (lambda view: re_path(r"^trips/(\w+)$", view), "is no path with named parts"),
        (lambda view: re_path(r"^trips/?(?P<to>\w+)$", view), "is no path with named parts"),
        (lambda view: re_path(r"^trips.(?P<to>\w+)$", view), "is no path with named parts"),
        (lambda view: re_path(r"^trips/(?P<to>a|(b))$", view), "is no path with named parts"),
        (lambda view: re_path(gettext_lazy(r"^trips/(?P<to>a)$"), view), "is no path with named parts"),
        (lambda view: path(gettext_lazy("trips/<to>"), view), "is translated"),
        (lambda view: i18n_patterns(path("trips/<to>", view))[0], "is no path with named parts"),
    ],
)
def test_a_route_that_cannot_be_published_is_refused(desk: Desk, pattern: Any, said: str) -> None:
    def do(to: str, act: Act) -> None: ...

    urls = desk.put(pattern(act_on(desk, do)))
    for _ in range(2):
        with pytest.raises(ValueError, match=said):
            desk.guard.bind(urls)


def test_a_method_that_two_places_say_otherwise_is_refused(desk: Desk) -> None:
    def delete(self: Any, act: Act) -> None: ...

    view = type("Rooms", (View,), {"delete": act_on(desk, delete, method="POST")}).as_view()
    with pytest.raises(ValueError, match=r"method= says another than its route: \['DELETE', 'POST'\]"):
        desk.guard.bind(desk.put(path("rooms", view)))


def test_a_site_that_asks_everyone_to_sign_in_asks_no_agent(desk: Desk) -> None:
    everyone = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    with override_settings(MIDDLEWARE=everyone):
        alone = rooms_of(desk, get=None)
        trips = desk.guard.action("trip", intent="Trip", summary="Trip")(trip)
        desk.put(path("rooms", alone.as_view()), path("trips", trips), path("others", Rooms.as_view()))
        assert desk.act("POST", "/rooms?number=3").status_code == 200
        assert desk.act("POST", "/trips", data={"to": "NYC"}).status_code == 204
        assert desk.client().get("/oneact/link").status_code == 401
        assert desk.client().get("/others").url.startswith("/accounts/login/")


def test_a_view_class_that_asks_everyone_to_sign_in_is_opened_by_its_owner(desk: Desk) -> None:
    everyone = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    with override_settings(MIDDLEWARE=everyone):
        view = rooms_of(desk).as_view()
        with pytest.raises(ValueError, match="write login_not_required"):
            desk.guard.bind(desk.put(path("rooms", view)))
        desk.put(path("rooms", login_not_required(view)))
        assert desk.act("POST", "/rooms?number=3").status_code == 200


def test_get_is_no_method_of_an_act(desk: Desk) -> None:
    with pytest.raises(ValueError, match="GET changes nothing by its meaning"):
        desk.guard.bind(desk.put(path("do", act_on(desk, trip, method="GET"))))


def test_another_method_of_the_same_route_does_not_run_the_handler(desk: Desk) -> None:
    desk.put(path("do", act_on(desk, trip, method="PATCH")))
    answer = desk.open("POST", "/do", desk.person.accept, data={"to": "NYC"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "PATCH")


def test_a_guarded_view_that_no_pattern_leads_to_is_not_run(desk: Desk) -> None:
    views = {"do": act_on(desk, trip)}

    def chosen(request: HttpRequest) -> Any:
        return views[request.path[1:]](request)

    desk.put(path("do", csrf_exempt(chosen)))
    asked = desk.open("POST", "/do", desk.person.accept, data={"to": "NYC"})
    assert (asked.status_code, asked.json()["reason"]) == (500, "internal")


def test_a_site_below_a_path_of_its_host_is_reached_by_its_whole_address(tmp_path: Path) -> None:
    desk = Desk(tmp_path, resource="http://localhost:1/air")
    desk.mount = "/air"
    desk.person.link(desk.guard, "ada")
    desk.put(path("trips/<to>", act_on(desk, pay)))
    assert desk.act("POST", "/trips/Z%C3%BCrich").json() == {"paid": "Zürich"}
    assert desk.guard.actions["do"].action.path == "/trips/{to}"
    metadata = desk.client().get("/.well-known/oauth-protected-resource/air").json()
    assert metadata["oneact_act_uri"] == "http://localhost:1/air/oneact/act"
    desk.guard.stop_sync()


def test_two_guards_of_one_site_have_each_their_own_actions(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Desk(tmp_path / "other")
    desk.put(path("do", act_on(desk, trip)), path("other", act_on(other, pay_to)))
    assert desk.act("POST", "/do", data={"to": "NYC"}).status_code == 204
    assert [guard.actions["do"].action.path for guard in (desk.guard, other.guard)] == ["/do", "/other"]
    asked = desk.open("POST", "/other?to=me", desk.person.accept)
    assert asked.json()["reason"] == "approval_required"
    other.guard.stop_sync()


def pay_to(to: str) -> None: ...


def test_the_own_addresses_stand_where_resource_says(desk: Desk) -> None:
    urls = desk.put(path("air/", include(desk.guard.urls)), own=[])
    with pytest.raises(ValueError, match=r"guard\.urls stand in the root URLconf"):
        desk.guard.bind(urls)


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    return wrapper


def unnamed(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    return wrapper


def pay(to: str) -> dict[str, str]:
    return {"paid": to}


class Paying(View):
    post = staticmethod(pay)


@pytest.mark.parametrize(
    "raw", [pay, logged(pay), unnamed(pay), csrf_exempt(unnamed(logged(pay))), Paying.as_view(), functools.partial(pay)]
)
@pytest.mark.parametrize("guarded", [pay, logged(pay)])
def test_a_site_that_runs_a_guarded_function_bare_answers_nothing(desk: Desk, raw: Any, guarded: Any) -> None:
    view = desk.guard.action("pay", intent="Pay", summary="Pay {to}")(guarded)
    urls = desk.put(path("bare/<to>", raw), path("pay/<to>", view))
    with override_settings(ROOT_URLCONF=urls):
        for address in ("/bare/me", "/pay/me", "/oneact/actions"):
            with pytest.raises(ValueError, match=r"/bare/<to> runs .*pay without the guard: put what @guard.action"):
                desk.client().post(address)


@pytest.mark.parametrize("above", [logged, unnamed, require_POST])
def test_the_right_order_is_taken_with_a_decorator_anywhere(desk: Desk, above: Any) -> None:
    view = above(desk.guard.action("pay", intent="Pay", summary="Pay {to}")(logged(pay)))
    desk.put(path("pay/<to>", csrf_exempt(view)))
    assert desk.act("POST", "/pay/me").json() == {"paid": "me"}


def middleware_of(guard: Any) -> Any:
    django_site.guard = guard  # type: ignore[attr-defined]  # where the setting finds it
    return override_settings(ONEACT_GUARD=f"{django_site.__name__}.guard")


def test_the_middleware_answers_for_the_own_addresses_and_leaves_the_rest(desk: Desk) -> None:
    with middleware_of(desk.guard), override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, MIDDLEWARE]):
        desk.put(path("do", act_on(desk, trip)), own=[])
        assert desk.act("POST", "/do", data={"to": "NYC"}).status_code == 204
        assert desk.client().get("/oneact/link").status_code == 401
        assert desk.client().get("/oneact").status_code == 404


MIDDLEWARE = "oneact.service.django.Middleware"


def test_the_middleware_tells_a_mistake_before_there_is_a_request(desk: Desk) -> None:
    urls = desk.put(path("trips/<other>", act_on(desk, trip)))
    with middleware_of(desk.guard), override_settings(ROOT_URLCONF=urls), pytest.raises(ValueError, match="the path"):
        Middleware(lambda _: None)
    with middleware_of("no guard"), pytest.raises(TypeError, match="ONEACT_GUARD names no guard for Django"):
        Middleware(lambda _: None)
