"""What the Flask face makes of rules and signatures, what it refuses, and in whose thread a handler runs."""

import functools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import flask
import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from flask.views import MethodView
from pydantic import BaseModel, Field
from werkzeug.exceptions import Conflict
from werkzeug.routing import BaseConverter
from werkzeug.test import TestResponse

from oneact.service import LocalAccount
from oneact.service.flask import Act, Answer, Body, Form, Guard, Query
from oneact.testing import InProcessApprover, TestAgent


class Cabin(Enum):
    ECONOMY = "economy"
    FIRST = "first"


class Trip(BaseModel):
    to: str
    cabin: Cabin = Cabin.ECONOMY
    limit: Decimal = Decimal("10.50")


class Price(BaseModel):
    price: str


class Desk:
    """An application under test with one person, one agent, and a client of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.account: LocalAccount | None = None
        self.guard = Guard(
            resource="http://localhost:1", name="Air", key=folder / "k.jwk", store=folder / "s.db",
            account=self.signed_in, issuers=["http://localhost:8400"], notify=self.notified,
        )  # fmt: skip
        self.app = Flask(__name__)
        self.app.register_blueprint(self.guard.blueprint)
        self.person, self.agent = InProcessApprover(), TestAgent()
        self.ran_in: list[tuple[str, int, object]] = []

    def note(self, what: str) -> None:
        self.ran_in.append((what, threading.get_ident(), flask.g.get("mark")))

    def signed_in(self, request: flask.Request) -> LocalAccount | None:
        assert request is flask.request._get_current_object()  # type: ignore[attr-defined]  # Flask's own request
        self.note("account")
        return self.account

    def notified(self, account: str, event: str) -> None:
        self.note(f"{event} {account}")

    def client(self) -> FlaskClient:
        return self.app.test_client()

    def act(self, method: str, path: str, headers: dict[str, str] | None = None, **request: Any) -> TestResponse:
        """Ask, have approved, show."""
        client = self.client()
        asked = client.open(path, method=method, headers=self.person.accept, **request)
        assert asked.json is not None
        assert asked.json.get("reason") == "approval_required", asked.json
        return self.show(self.approved(asked), method, path, headers, **request)

    def approved(self, asked: TestResponse) -> str:
        assert asked.json is not None
        actions = self.client().get("/oneact/actions").json
        assert actions is not None
        return self.person.approve(asked.json["transaction_challenge"], actions, self.agent, int(time.time()))

    def show(
        self, token: str, method: str, path: str, headers: dict[str, str] | None = None, **request: Any
    ) -> TestResponse:
        shown = self.agent.headers(method, self.guard.resource + path.partition("?")[0], token, int(time.time()))
        return self.client().open(path, method=method, headers={**shown, **(headers or {})}, **request)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    found.person.link(found.guard, "ada")
    yield found
    found.guard.stop_sync()


def act_on(desk: Desk, handler: Callable[..., Any], **more: Any) -> Callable[..., Any]:
    return desk.guard.action("do", intent="Do it", summary="Do", **more)(handler)


def trip(trip: Trip, act: Act) -> None: ...


TO_NYC = {"to": "NYC", "cabin": "economy", "limit": "10.50"}


def test_everything_of_the_owners_runs_in_the_requests_own_thread_and_context(desk: Desk) -> None:
    @desk.app.before_request
    def open_books() -> None:
        flask.g.mark = object()
        flask.g.books = sqlite3.connect(desk.folder / "books.db")  # SQLite gives it to this thread alone
        flask.g.books.execute("CREATE TABLE IF NOT EXISTS booked (txn TEXT)")
        marks.append((threading.get_ident(), flask.g.mark))

    @desk.app.teardown_request
    def close_books(_: BaseException | None) -> None:
        flask.g.books.commit()
        flask.g.books.close()

    def quote(trip: Trip) -> Price:
        desk.note("terms")
        return Price(price=f"{flask.g.books.execute('SELECT 312').fetchone()[0]} to {trip.to}")

    def holds(trip: Trip, terms: dict[str, Any]) -> bool:
        desk.note("terms_hold")
        return bool(terms["price"].endswith(trip.to))

    def book(trip: Trip, act: Act) -> dict[str, Any]:
        desk.note("handler")
        flask.g.books.execute("INSERT INTO booked VALUES (?)", (act.txn,))
        return {"rows": flask.g.books.execute("SELECT count(*) FROM booked").fetchone()[0], "to": trip.to}

    marks: list[tuple[int, object]] = []
    desk.app.post("/book")(act_on(desk, book, terms=quote, terms_hold=holds))
    answer = desk.act("POST", "/book", json={"to": "NYC"})
    assert (answer.status_code, answer.json) == (200, {"rows": 1, "to": "NYC"})
    assert answer.headers["OneAct-Receipt"]
    desk.account = LocalAccount("ada", "Ada", int(time.time()))
    assert desk.client().get("/oneact/link").status_code == 200
    assert [what for what, _, _ in desk.ran_in] == ["terms", "terms_hold", "handler", "account"]
    assert {(thread, mark) for _, thread, mark in desk.ran_in} <= set(marks)
    with sqlite3.connect(desk.folder / "books.db") as books:
        assert books.execute("SELECT count(*) FROM booked").fetchone() == (1,)
    books.close()


def test_a_notice_is_given_in_the_thread_that_asks_for_it(desk: Desk) -> None:
    with desk.app.app_context():
        flask.g.mark = "mine"
        assert desk.guard.unlink_sync("ada")
        assert not desk.guard.unlink_sync("ada")
    assert desk.ran_in == [("unlinked ada", threading.get_ident(), "mine")]


def test_arguments_come_from_the_rule_the_body_and_the_query(desk: Desk) -> None:
    def change(reference: str, number: int, trip: Trip, act: Act, soon: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - as owners write it
        return {"is": [reference, number, trip.to, trip.cabin.value, str(trip.limit), soon], "by": act.account}

    desk.app.put("/trips/<reference>/<int:number>")(act_on(desk, change))
    answer = desk.act("PUT", "/trips/A-1/07?soon=true", json={"to": "NYC", "cabin": "first"})
    assert answer.json == {"is": ["A-1", 7, "NYC", "first", "10.50", True], "by": "ada"}
    action = desk.guard.actions["do"].action
    assert (action.method, action.path) == ("PUT", "/trips/{reference}/{number}")
    assert action.sources == {
        "reference": "path", "number": "path", "to": "body", "cabin": "body", "limit": "body", "soon": "query",
    }  # fmt: skip


def test_forms_and_single_members_of_the_body_are_marked(desk: Desk) -> None:
    def note(text: Annotated[str, Form(alias="note")], times: Annotated[int, Form()] = 1) -> dict[str, Any]:
        return {"note": text * times}

    desk.app.post("/notes")(act_on(desk, note))
    assert desk.act("POST", "/notes", data={"note": "ab", "times": "2"}).json == {"note": "abab"}
    assert desk.guard.actions["do"].action.sources == {"note": "form", "times": "form"}

    def other(whole: Annotated[Trip, Form()], to_all: Annotated[bool, Form()]) -> None: ...

    desk.guard.action("other", intent="Other", summary="Other")(other)
    assert set(desk.guard.actions["other"].action.sources.values()) == {"form"}

    def third(
        tags: Annotated[list[str], Body()], from_: Annotated[str, Query("from"), Field(min_length=2)]
    ) -> None: ...

    desk.guard.action("third", intent="Third", summary="Third")(third)
    assert desk.guard.actions["third"].action.sources == {"tags": "body", "from": "query"}


def test_a_handler_is_called_by_its_name_too(desk: Desk) -> None:
    def do(reference: str, act: Act) -> dict[str, str]:
        return {"done": reference, "for": act.account}

    desk.app.delete("/things/<reference>")(act_on(desk, do))
    answer = desk.act("POST", "/oneact/act", json={"action": "do", "parameters": {"reference": "A"}})
    assert answer.json == {"done": "A", "for": "ada"}


def sold(_: object) -> Any:
    flask.abort(409, "sold out")


def redirected(_: object) -> Any:
    return flask.redirect("/elsewhere")


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        (lambda _: Trip(to="NYC"), 200, TO_NYC),
        (lambda _: ({"trips": [Trip(to="NYC")]}, 201), 201, {"trips": [TO_NYC]}),
        (lambda _: [1, 2], 200, [1, 2]),
        (lambda _: (Trip(to="NYC"), 202, {"X-Note": "n"}), 202, TO_NYC),
        (lambda _: flask.jsonify(at=1), 200, {"at": 1}),
        (lambda _: Answer(207, b"[]"), 207, []),
        (lambda _: None, 204, None),
        (lambda _: ({"no": 1}, 422), 422, {"no": 1}),
        (sold, 409, {"detail": "sold out"}),
        (lambda _: flask.abort(flask.make_response({"mine": 1}, 418)), 418, {"mine": 1}),
        (lambda _: Conflict("sold out"), 409, {"detail": "sold out"}),
        (redirected, 302, None),
    ],
)  # fmt: skip
def test_whatever_flask_takes_for_an_answer_is_one(desk: Desk, result: Any, status: int, body: Any) -> None:
    desk.app.post("/do")(act_on(desk, lambda: result(None)))
    answer = desk.act("POST", "/do")
    assert answer.status_code == status
    assert answer.headers["OneAct-Receipt"]
    assert body is None or answer.json == body
    assert answer.headers.get("X-Note", "n") == "n"


def test_a_text_is_a_page_as_everywhere_in_flask(desk: Desk) -> None:
    desk.app.post("/do")(act_on(desk, lambda: "<p>done"))
    answer = desk.act("POST", "/do")
    assert (answer.content_type, answer.text) == ("text/html; charset=utf-8", "<p>done")


def test_the_applications_own_words_for_an_abort_are_the_answer(desk: Desk) -> None:
    @desk.app.errorhandler(409)
    def conflict(error: Any) -> Any:
        return {"problem": error.description, "path": flask.request.path}, 409

    desk.app.post("/do")(act_on(desk, lambda: sold(None)))
    answer = desk.act("POST", "/do")
    assert (answer.status_code, answer.json) == (409, {"problem": "sold out", "path": "/do"})


def test_an_abort_is_never_told_as_done(desk: Desk) -> None:
    desk.app.register_error_handler(409, lambda _: ("<p>Sorry, try again later", 200))
    desk.app.post("/do")(act_on(desk, lambda: sold(None)))
    answer = desk.act("POST", "/do")
    assert (answer.status_code, answer.json) == (409, {"detail": "sold out"})


@pytest.mark.parametrize("result", [lambda: (part for part in "ab"), lambda: flask.send_file(__file__), lambda: 7])
def test_an_answer_that_no_receipt_can_cover_leaves_the_outcome_unknown(desk: Desk, result: Any) -> None:
    desk.app.post("/do")(act_on(desk, result))
    answer = desk.act("POST", "/do")
    assert answer.json is not None
    assert (answer.status_code, answer.json["reason"]) == (409, "already_spent")


def test_terms_that_abort_refuse_the_parameters(desk: Desk) -> None:
    def quote(trip: Trip) -> Price:
        flask.abort(404, f"nobody flies to {trip.to}")

    desk.app.post("/do")(act_on(desk, trip, terms=quote))
    asked = desk.client().post("/do", json={"to": "NOWHERE"}, headers=desk.person.accept)
    assert asked.json is not None
    assert (asked.status_code, asked.json["reason"]) == (422, "parameters_invalid")
    assert "NOWHERE" not in asked.text


@pytest.mark.parametrize("read_as", ["form", "stream"])
def test_a_body_that_was_read_before_the_guard_is_refused_unless_as_a_form(desk: Desk, read_as: str) -> None:
    @desk.app.before_request
    def look() -> None:
        assert flask.request.form if read_as == "form" else flask.request.stream.read()

    def note(text: Annotated[str, Form()] = "") -> None: ...

    desk.app.post("/notes")(act_on(desk, note))
    asked = desk.client().post("/notes", data={"text": "a"}, headers=desk.person.accept)
    assert asked.json is not None
    expected = (401, "approval_required") if read_as == "form" else (500, "internal")
    assert (asked.status_code, asked.json["reason"]) == expected


def test_json_that_was_read_before_the_guard_is_read_again(desk: Desk) -> None:
    @desk.app.before_request
    def look() -> None:
        assert flask.request.get_json(silent=True) is not True

    desk.app.post("/do")(act_on(desk, trip))
    assert desk.act("POST", "/do", json={"to": "NYC"}).status_code == 204


def test_an_application_made_in_a_function_has_its_guard_by_init_app(desk: Desk) -> None:
    guarded = act_on(desk, trip)

    def create() -> Flask:
        app = Flask("made")
        desk.guard.init_app(app)
        rooms = Blueprint("rooms", "rooms", url_prefix="/v1")
        rooms.post("/do")(guarded)
        app.register_blueprint(rooms)
        return app

    for _ in range(2):
        desk.app = create()
        assert desk.act("POST", "/v1/do", json={"to": "NYC"}).status_code == 204
    assert desk.guard.actions["do"].action.path == "/v1/do"


async def later(trip: Trip, act: Act) -> Any: ...


async def asked(*_: Any) -> Any: ...


def test_an_asynchronous_function_is_refused_at_the_start(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"action do: the handler: write def, not async def"):
        act_on(desk, later)
    with pytest.raises(ValueError, match=r"action do: terms=: write def"):
        act_on(desk, trip, terms=functools.partial(later))
    with pytest.raises(ValueError, match=r"action do: terms_hold=: write def"):
        act_on(desk, trip, terms_hold=later)
    for setting in ("account", "notify"):
        settings: dict[str, Any] = {"account": None, setting: asked}
        with pytest.raises(ValueError, match=f"{setting}=: write def"):
            Guard(resource="http://localhost:1", name="A", key=tmp_path / "k", store="s", issuers=[], **settings)


def test_what_would_not_be_shown_or_signed_is_refused_at_the_start(desk: Desk) -> None:
    def anything(**more: str) -> None: ...

    def bare(to, act: Act) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001 - the mistake that is meant

    def default(to: str = Form()) -> None: ...  # type: ignore[assignment]

    def renamed(to: Annotated[str, Field(alias="from")]) -> None: ...

    def fraction(amount: float) -> None: ...

    def twice(to: str, trip: Trip) -> None: ...

    for handler, said in [
        (anything, "more would reach the handler without being shown"),
        (bare, "to has no annotation"),
        (default, "to: write Annotated"),
        (renamed, "to: Query\\(alias="),
        (fraction, "parameter amount: a number with a fraction"),
        (twice, "two parameters are named to"),
    ]:
        with pytest.raises(ValueError, match=f"action do: {said}"):
            act_on(desk, handler)


@pytest.mark.parametrize(
    ("rule", "more", "said"),
    [
        ("/trips/<other>", {}, "the path has \\['other'\\], which are no arguments"),
        ("/trips", {"defaults": {"to": "NYC"}}, "without defaults=, host or subdomain"),
        ("/trips/<float:to>", {}, "to is a fraction"),
        ("/trips", {"methods": ["GET"]}, "GET changes nothing by its meaning"),
    ],
)
def test_a_rule_that_cannot_be_published_is_refused(desk: Desk, rule: str, more: dict[str, Any], said: str) -> None:
    def do(to: str, act: Act) -> None: ...

    desk.app.route(rule, **{"methods": ["POST"], **more})(act_on(desk, do))
    for _ in range(2):
        with pytest.raises(ValueError, match=said):
            desk.guard.bind(desk.app)


def test_a_converter_that_makes_objects_is_refused(desk: Desk) -> None:
    class AsObject(BaseConverter):
        def to_python(self, value: str) -> Any:
            return {"id": value}

    def do(to: str, act: Act) -> None: ...

    desk.app.url_map.converters["thing"] = AsObject
    desk.app.post("/trips/<thing:to>")(act_on(desk, do))
    answer = desk.client().post("/trips/A", headers=desk.person.accept)
    assert answer.json is not None
    assert answer.json["reason"] == "internal"


def test_another_method_of_the_same_rule_does_not_run_the_handler(desk: Desk) -> None:
    desk.app.route("/do", methods=["PATCH", "POST"])(act_on(desk, trip))
    answer = desk.client().post("/do", json={"to": "NYC"}, headers=desk.person.accept)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "PATCH")


def test_the_blueprint_stands_where_resource_says(desk: Desk) -> None:
    app = Flask("other")
    with pytest.raises(ValueError, match="without a prefix"):
        app.register_blueprint(desk.guard.blueprint, url_prefix="/air")


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    return wrapper


@pytest.mark.parametrize("between", [lambda function: function, logged])
def test_a_guard_above_the_route_is_refused_before_anything_is_served(desk: Desk, between: Any) -> None:
    @desk.guard.action("pay", intent="Pay", summary="Pay {to}")
    @between
    @desk.app.post("/pay/<to>")
    def pay(to: str) -> None: ...

    desk.app.testing = True
    for _ in range(2):
        with pytest.raises(ValueError, match=r"/pay/<to> runs .*pay without the guard: write @app\.post"):
            desk.client().post("/pay/me")


def test_a_guarded_function_that_a_view_class_runs_bare_is_refused(desk: Desk) -> None:
    def pay(to: str) -> None: ...

    view = type("Pay", (MethodView,), {"post": staticmethod(pay)}).as_view("bare")
    desk.app.add_url_rule("/bare/<to>", view_func=view)
    desk.app.post("/pay/<to>")(desk.guard.action("pay", intent="Pay", summary="Pay {to}")(pay))
    with pytest.raises(ValueError, match="without the guard"):
        desk.guard.bind(desk.app)


def test_the_right_order_is_taken_with_a_decorator_anywhere(desk: Desk) -> None:
    @desk.app.post("/pay/<to>")
    @logged
    @desk.guard.action("pay", intent="Pay", summary="Pay {to}")
    @logged
    def pay(to: str) -> dict[str, str]:
        return {"paid": to}

    assert desk.act("POST", "/pay/me").json == {"paid": "me"}
    assert "pay" in desk.app.view_functions


def test_what_a_handler_reads_of_the_request_is_not_of_the_act(desk: Desk) -> None:
    def do(to: str, act: Act) -> dict[str, Any]:
        return {"to": to, "account": act.account, "user": flask.request.headers["X-User"]}

    desk.app.post("/do")(act_on(desk, do))
    answer = desk.act("POST", "/do?to=NYC", headers={"X-User": "mallory"})
    assert answer.json == {"to": "NYC", "account": "ada", "user": "mallory"}


def test_a_call_by_name_passes_the_applications_own_functions_and_what_stands_below_the_guard(desk: Desk) -> None:
    passed: list[str] = []
    rooms = Blueprint("rooms", "rooms")
    desk.app.before_request(lambda: passed.append("application"))
    rooms.before_request(lambda: passed.append("blueprint"))

    def noting(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(function)
            def wrapper(**named: Any) -> Any:
                passed.append(what)
                return function(**named)

            return wrapper

        return decorate

    @rooms.post("/pay/<to>")
    @noting("above")
    @desk.guard.action("pay", intent="Pay", summary="Pay {to}")
    @noting("below")
    def pay(to: str) -> None: ...

    desk.app.register_blueprint(rooms)
    assert desk.act("POST", "/oneact/act", json={"action": "pay", "parameters": {"to": "me"}}).status_code == 204
    assert set(passed) == {"application", "below"}
    passed.clear()
    assert desk.act("POST", "/pay/me").status_code == 204
    assert set(passed) == {"application", "blueprint", "above", "below"}
