"""Guarded views in Django REST framework: its decorators, view classes, routers, responses and errors."""

from typing import Any

import pytest
from django.urls import include, path
from pydantic import BaseModel
from rest_framework.authentication import BaseAuthentication, BasicAuthentication, SessionAuthentication
from rest_framework.decorators import action, api_view, permission_classes
from rest_framework.exceptions import APIException, AuthenticationFailed, NotFound, Throttled, ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet
from tests.service.django_desk import Desk

from oneact.service.django import Act, GuardedMixin


class Trip(BaseModel):
    to: str
    bags: int = 0


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every view asks for a sign-in unless it says otherwise, as a site sets it."""
    monkeypatch.setattr(APIView, "permission_classes", [IsAuthenticated])
    monkeypatch.setattr(APIView, "authentication_classes", [SessionAuthentication, BasicAuthentication])


def guarded(desk: Desk, function: Any, **more: Any) -> Any:
    return desk.guard.action("do", intent="Do", summary="Do", **more)(function)


def book(trip: Trip, act: Act) -> Response:
    return Response({"to": trip.to, "by": act.account}, status=201, headers={"X-Note": "n"})


def test_a_view_of_api_view_is_guarded_and_asks_no_agent_to_sign_in(desk: Desk) -> None:
    desk.put(path("book", api_view(["POST"])(guarded(desk, book))))
    answer = desk.act("POST", "/book", data={"to": "NYC"})
    assert (answer.status_code, answer.json()) == (201, {"to": "NYC", "by": "ada"})
    assert (answer.headers["Content-Type"], answer.headers["X-Note"]) == ("application/json", "n")
    assert answer.headers["OneAct-Receipt"]
    assert desk.guard.actions["do"].action.path == "/book"


def test_of_two_methods_of_one_view_the_first_by_name_is_published(desk: Desk) -> None:
    desk.put(path("book", api_view(["PUT", "POST", "PATCH"])(guarded(desk, book))))
    desk.guard.bind(desk.urls)
    assert desk.guard.actions["do"].action.method == "PATCH"
    asked = desk.open("PUT", "/book", desk.person.accept, data={"to": "NYC"})
    assert (asked.status_code, asked.json()["reason"]) == (405, "method_not_allowed")


def test_a_permission_that_its_owner_asks_for_is_refused_at_the_start(desk: Desk) -> None:
    view = api_view(["POST"])(permission_classes([IsAuthenticated])(guarded(desk, book)))
    with pytest.raises(ValueError, match="/book: book asks agents to sign in; put GuardedMixin"):
        desk.guard.bind(desk.put(path("book", view)))


class Rooms(APIView):
    def get(self, request: Request) -> Response:
        return Response({"rooms": request.path})


def rooms(desk: Desk, *bases: type, **members: Any) -> Any:
    def post(self: Any, trip: Trip) -> Response:
        return Response({"to": trip.to, "at": self.request.path})

    return type("Guarded", (*bases, Rooms), {"post": guarded(desk, post), **members}).as_view()  # type: ignore[attr-defined]  # made here


def test_the_mixin_lets_agents_through_to_guarded_methods_and_to_no_others(desk: Desk) -> None:
    desk.put(path("rooms", rooms(desk, GuardedMixin)))
    assert desk.act("POST", "/rooms", data={"to": "NYC"}).json() == {"to": "NYC", "at": "/rooms"}
    assert desk.client().get("/rooms").status_code == 403
    body = {"action": "do", "parameters": {"to": "NYC"}}
    assert desk.act("POST", "/oneact/act", data=body).json() == {"to": "NYC", "at": "/oneact/act"}


class Suspicious(BaseAuthentication):
    """Takes no other header than its own, as some do."""

    def authenticate(self, request: Request) -> None:
        if "Authorization" in request.headers:
            raise AuthenticationFailed


def test_an_authenticator_does_not_see_what_an_agent_shows(desk: Desk) -> None:
    desk.put(path("rooms", rooms(desk, GuardedMixin, authentication_classes=[Suspicious], permission_classes=[])))
    assert desk.act("POST", "/rooms", data={"to": "NYC"}).status_code == 200
    assert desk.open("GET", "/rooms", {"Authorization": "DPoP token"}).status_code == 403


def test_a_view_class_that_would_refuse_every_agent_is_refused_at_the_start(desk: Desk) -> None:
    with pytest.raises(ValueError, match="/rooms: Guarded asks agents to sign in"):
        desk.guard.bind(desk.put(path("rooms", rooms(desk))))


def test_a_view_class_that_asks_nobody_needs_no_mixin(desk: Desk) -> None:
    desk.put(path("rooms", rooms(desk, authentication_classes=[], permission_classes=[])))
    assert desk.act("POST", "/rooms", data={"to": "NYC"}).status_code == 200
    assert desk.client().get("/rooms").status_code == 200


class Never(SimpleRateThrottle):
    rate = "1/day"
    hits = 0

    def get_cache_key(self, request: Request, view: Any) -> str:
        return f"{request.path}{id(type(view))}"


def test_throttles_count_agents_too(desk: Desk) -> None:
    desk.put(path("rooms", rooms(desk, GuardedMixin, throttle_classes=[Never])))
    statuses = [desk.open("POST", "/rooms", desk.person.accept, data={"to": "NYC"}).status_code for _ in range(2)]
    assert statuses == [401, 429]


def test_an_action_of_a_viewset_has_the_route_of_its_router(desk: Desk) -> None:
    def cancel(self: Any, pk: str, act: Act) -> Response:
        return Response({"cancelled": pk, "by": act.account, "basename": self.basename})

    class Bookings(GuardedMixin, ViewSet):
        def list(self, request: Request) -> Response:
            return Response([request.path])

        destroy = guarded(desk, cancel)

        @action(detail=True, methods=["post"])
        @desk.guard.action("archive", intent="Archive", summary="Archive {pk}")
        def archive(self, pk: str) -> Response:
            return Response({"archived": pk})

    router = DefaultRouter()
    router.register("bookings", Bookings, basename="booking")
    desk.put(path("api/", include(router.urls)))
    answer = desk.act("DELETE", "/api/bookings/A-1/")
    assert answer.json() == {"cancelled": "A-1", "by": "ada", "basename": "booking"}
    assert desk.client().get("/api/bookings/").status_code == 403
    published = {name: desk.guard.actions[name].action for name in ("do", "archive")}
    assert [(found.method, found.path) for found in published.values()] == [
        ("DELETE", "/api/bookings/{pk}/"), ("POST", "/api/bookings/{pk}/archive/"),
    ]  # fmt: skip


def test_a_suffix_of_a_format_is_no_parameter_of_an_act(desk: Desk) -> None:
    def cancel(self: Any, pk: str) -> Response:
        return Response({"cancelled": pk, "by": str(self)})

    router = DefaultRouter()
    router.register("bookings", type("Bookings", (GuardedMixin, ViewSet), {"destroy": guarded(desk, cancel)}), "b")
    desk.put(*router.urls)
    desk.guard.bind(desk.urls)
    asked = desk.open("DELETE", "/bookings/A.json", desk.person.accept)
    assert (asked.status_code, asked.json()["reason"]) == (422, "parameter_unknown")


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (NotFound("sold out"), 404, {"detail": "sold out"}),
        (ValidationError({"to": ["no such place"]}), 400, {"to": ["no such place"]}),
        (ValidationError("no"), 400, ["no"]),
        (Throttled(wait=7), 429, {"detail": "Request was throttled. Expected available in 7 seconds."}),
        (APIException(), 500, {"detail": "A server error occurred."}),
    ],
)
def test_an_error_of_the_frameworks_is_an_answer(desk: Desk, error: APIException, status: int, body: Any) -> None:
    def do() -> Response:
        raise error

    desk.put(path("do", api_view(["POST"])(guarded(desk, do))))
    answer = desk.act("POST", "/do")
    assert (answer.status_code, answer.json()) == (status, body)
    assert answer.headers["OneAct-Receipt"]
    assert answer.headers.get("Retry-After") == ("7" if status == 429 else None)


def test_terms_that_raise_one_refuse_the_parameters(desk: Desk) -> None:
    def quote(trip: Trip) -> dict[str, str]:
        raise NotFound(trip.to)

    schema: Any = {"type": "object", "required": ["price"], "properties": {"price": {"type": "string"}}}
    desk.put(path("do", api_view(["POST"])(guarded(desk, book, terms=quote, terms_schema=schema))))
    asked = desk.open("POST", "/do", desk.person.accept, data={"to": "NOWHERE"})
    assert (asked.status_code, asked.json()["reason"]) == (422, "parameters_invalid")
