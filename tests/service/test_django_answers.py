"""What the Django face makes of answers, errors and bodies, and where the transaction of a handler ends."""

from datetime import date
from io import BytesIO
from typing import Annotated, Any

import pytest
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
from django.urls import path
from tests.service.django_desk import TO_NYC, Desk, Price, Trip, act_on, rows, trip

from oneact.errors import Reason, Refusal
from oneact.service.django import Act, Answer, Form, answers, incoming


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
