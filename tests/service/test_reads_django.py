"""What the Django face makes of a read: views, view classes and those of REST framework, behind the read token."""

import time
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path
from django.views import View
from pydantic import BaseModel
from rest_framework.decorators import api_view
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet
from tests.service.django_desk import Desk

from oneact.service.django import GuardedMixin, Reading


class Room(BaseModel):
    name: str


def reads(desk: Desk, function: Any, name: str = "rooms") -> Any:
    return desk.guard.read(name, intent="See the rooms")(function)


def read(desk: Desk, path: str, method: str = "GET") -> Any:
    """Have the person open all reads, and read."""
    desk.guard.bind(desk.urls)
    listed = desk.client().get("/oneact/actions").json()["reads"]
    token = desk.person.read_token(desk.guard.resource, listed, desk.agent, int(time.time()))
    return desk.show(token, method, path)


def shut(desk: Desk, path: str) -> tuple[int, str]:
    answer = desk.client().get(path)
    return answer.status_code, answer.json()["reason"]


def told(desk: Desk, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        desk.guard.bind(desk.urls)


def test_a_view_gives_models_and_djangos_own_responses_also_streaming_ones(desk: Desk) -> None:
    def rooms(request: HttpRequest, reading: Reading) -> Any:
        return {"rooms": [Room(name=request.GET.get("q", ""))], "for": reading.account}, 206

    def many(request: HttpRequest, name: str) -> StreamingHttpResponse:  # noqa: ARG001 - as Django calls it
        return StreamingHttpResponse(iter(["one ", name]))

    desk.put(path("rooms", reads(desk, rooms)), path("many/<str:name>", reads(desk, many, "many")))
    answer = read(desk, "/rooms?q=Blue")
    assert (answer.status_code, answer.json()) == (206, {"rooms": [{"name": "Blue"}], "for": "ada"})
    assert b"".join(read(desk, "/many/Red").streaming_content) == b"one Red"
    assert shut(desk, "/rooms") == (401, "read_token_required")


def test_a_head_needs_a_token_as_a_get_does(desk: Desk) -> None:
    desk.put(path("rooms", reads(desk, lambda request: HttpResponse(headers={"X-Rooms": request.method}))))
    assert read(desk, "/rooms", "HEAD").headers["X-Rooms"] == "HEAD"
    answer = desk.client().head("/rooms")
    assert (answer.status_code, "X-Rooms" in answer.headers) == (401, False)


def test_a_view_that_takes_what_comes_is_read_and_nothing_else(desk: Desk) -> None:
    desk.put(path("rooms", reads(desk, lambda _: HttpResponse("3"))))
    answer = read(desk, "/rooms", "POST")
    assert (answer.status_code, answer.json()["reason"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET"


class Rooms(View):
    def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.method)


def of_class(desk: Desk, *bases: Any, **members: Any) -> Any:
    def get(self: Any, request: HttpRequest, reading: Reading) -> HttpResponse:
        return HttpResponse(f"{type(self).__name__} for {reading.account}: {request.method}")

    return type("Inn", bases, {"get": reads(desk, get), **members}).as_view()  # type: ignore[attr-defined]  # a view class


def test_a_method_of_a_class_is_read_and_the_others_stay_protected_against_forged_forms(desk: Desk) -> None:
    desk.put(path("rooms", of_class(desk, Rooms)))
    assert read(desk, "/rooms").content == b"Inn for ada: GET"
    assert shut(desk, "/rooms") == (401, "read_token_required")
    assert desk.client().post("/rooms").status_code == 403


def test_a_read_beside_an_unguarded_method_stays_in_the_sites_transactions(desk: Desk, atomic: None) -> None:
    assert atomic is None
    desk.put(path("rooms", of_class(desk, Rooms)))
    assert read(desk, "/rooms").content == b"Inn for ada: GET"


EVERYONE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]


def test_a_site_that_asks_everyone_to_sign_in_asks_no_agent_that_reads(desk: Desk) -> None:
    with override_settings(MIDDLEWARE=EVERYONE):
        alone = reads(desk, lambda _: HttpResponse("3"), "alone")
        desk.put(path("rooms", of_class(desk, View)), path("alone", alone), path("others", Rooms.as_view()))
        assert read(desk, "/rooms").content == b"Inn for ada: GET"
        assert read(desk, "/alone").content == b"3"
        assert desk.client().get("/others").url.startswith("/accounts/login/")


def test_a_class_whose_other_methods_ask_everyone_to_sign_in_is_opened_by_its_owner(desk: Desk) -> None:
    with override_settings(MIDDLEWARE=EVERYONE):
        view = of_class(desk, Rooms)
        desk.put(path("rooms", view))
        told(desk, "write login_not_required")
        desk.put(path("rooms", login_not_required(view)))
        assert read(desk, "/rooms").content == b"Inn for ada: GET"


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(APIView, "permission_classes", [IsAuthenticated])


@pytest.mark.usefixtures("strict")
def test_a_view_of_api_view_asks_no_agent_to_sign_in(desk: Desk) -> None:
    def rooms(request: Request, reading: Reading) -> Response:
        return Response({"q": request.query_params["q"], "for": reading.account})

    desk.put(path("rooms", api_view(["GET"])(reads(desk, rooms))))
    assert read(desk, "/rooms?q=a").json() == {"q": "a", "for": "ada"}
    assert shut(desk, "/rooms?q=a") == (401, "read_token_required")


@pytest.mark.usefixtures("strict")
def test_the_mixin_lets_agents_through_to_a_read_of_a_class(desk: Desk) -> None:
    class Unguarded(APIView):
        def post(self, request: Request) -> Response:
            return Response(request.method)

    desk.put(path("rooms", of_class(desk, GuardedMixin, Unguarded)))
    assert read(desk, "/rooms").content == b"Inn for ada: GET"
    assert desk.client().post("/rooms").status_code == 403


@pytest.mark.usefixtures("strict")
def test_a_class_that_would_ask_every_agent_to_sign_in_is_told(desk: Desk) -> None:
    desk.put(path("rooms", of_class(desk, APIView)))
    told(desk, "/rooms: Inn asks agents to sign in")


@pytest.mark.usefixtures("strict")
def test_the_reads_of_a_viewset_have_the_routes_of_its_router(desk: Desk) -> None:
    def listed(self: Any, request: Request) -> Response:
        return Response([self.basename, request.path])

    def retrieve(self: Any, request: Request, pk: str, reading: Reading) -> Response:
        return Response([self.basename, pk, reading.account, request.path])

    members = {"list": reads(desk, listed), "retrieve": reads(desk, retrieve, "room")}
    router = DefaultRouter()
    router.register("rooms", type("Rooms", (GuardedMixin, ViewSet), members), basename="room")
    desk.put(*router.urls)
    assert read(desk, "/rooms/").json() == ["room", "/rooms/"]
    assert read(desk, "/rooms/7/").json() == ["room", "7", "ada", "/rooms/7/"]
    assert [found.path for found in desk.guard.reads.values()] == ["/rooms/", "/rooms/{pk}/"]


def test_a_route_that_would_run_a_read_unguarded_is_told(desk: Desk) -> None:
    def rooms(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.method)

    reads(desk, rooms)
    desk.put(path("rooms", rooms))
    told(desk, "without the guard")


def test_a_method_that_is_no_get_is_told(desk: Desk) -> None:
    def post(self: Any, request: HttpRequest) -> None: ...

    desk.put(path("rooms", type("Inn", (View,), {"post": reads(desk, post)}).as_view()))  # type: ignore[attr-defined]  # a view class
    told(desk, "read rooms: a read is a GET")


@pytest.mark.parametrize(("route", "view"), [("<str:name>", lambda _: None), ("rooms", lambda _, name: name)])
def test_a_route_that_its_view_cannot_take_is_told(desk: Desk, route: str, view: Any) -> None:
    desk.put(path(route, reads(desk, view)))
    told(desk, "read rooms: its route gives its handler")


def test_a_name_that_is_taken_and_a_view_that_no_thread_could_run_are_told(desk: Desk) -> None:
    async def rooms(request: HttpRequest) -> None: ...

    with pytest.raises(ValueError, match="read rooms: the handler: write def, not async def"):
        reads(desk, rooms)
    reads(desk, lambda _: None)
    with pytest.raises(ValueError, match="two reads are named rooms"):
        reads(desk, lambda _: None)
