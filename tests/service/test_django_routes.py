"""What the Django face makes of routes, view classes and middlewares, and what it refuses of them."""

import functools
import uuid
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import (
    HttpRequest,
    HttpResponse,
)
from django.test import override_settings
from django.urls import include, path, re_path, register_converter
from django.urls.converters import StringConverter
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from tests.service import django_site
from tests.service.django_desk import Desk, act_on, trip

from oneact.service.django import Act, Middleware
from oneact.service.django.handler import VISITED


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


@pytest.mark.usefixtures("atomic")
def test_what_a_class_of_guarded_methods_cannot_commit_is_never_told_as_executed(desk: Desk) -> None:
    def post(self: Any) -> str:
        transaction.on_commit(lambda: 1 / 0)
        return str(self)

    view = type("Alone", (View,), {"post": act_on(desk, post)}).as_view()
    desk.put(path("rooms", view))
    assert desk.act("POST", "/rooms").json()["reason"] == "already_spent"


def test_a_method_whose_class_no_route_has_is_not_run_by_its_name(desk: Desk) -> None:
    rooms_of(desk)
    asked = desk.open("POST", "/oneact/act", desk.person.accept, data={"action": "do", "parameters": {"number": 3}})
    assert (asked.status_code, asked.json()["reason"]) == (500, "internal")


@pytest.mark.usefixtures("atomic")
def test_a_view_class_with_other_methods_is_taken_out_of_atomic_requests_by_its_owner(desk: Desk) -> None:
    view = rooms_of(desk).as_view()
    with pytest.raises(ValueError, match=r"write transaction.non_atomic_requests"):
        desk.guard.bind(desk.put(path("rooms", view)))
    desk.put(path("rooms", transaction.non_atomic_requests(view)))
    assert desk.act("POST", "/rooms?number=3").status_code == 200


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


@pytest.mark.parametrize("above", [logged, unnamed, require_POST, functools.partial])
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
