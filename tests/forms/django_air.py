"""The airline's forms as a Django site: its own check of forged forms is Django's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from oneact.service.django import Act, Form
from tests.embedded.notes import current_user
from tests.forms.air import SAID, WISH, Air, Flight
from tests.service.django_site import UNPROTECTED, serving, serving_async

if TYPE_CHECKING:
    from oneact.service import LocalAccount


class _Cookies:
    def __init__(self, cookies: dict[str, str]) -> None:
        self.cookies = cookies


def account(request: HttpRequest) -> LocalAccount | None:
    return current_user(_Cookies(request.COOKIES))  # type: ignore[arg-type]  # all that it reads


def site(air: Air) -> Any:
    """Give the airline as a WSGI application."""
    air.patterns = patterns(air)
    served = serving(air.guard, air.patterns)
    return lambda environ, start: served({**environ, UNPROTECTED: not air.forgeries}, start)


def site_async(air: Air) -> Any:
    """Give the same airline as an ASGI application."""
    return serving_async(air.guard, air.patterns)


def patterns(air: Air) -> list[Any]:
    """Give the airline's routes."""
    guard = air.guard

    @guard.form("book_flight", unlinked="refuse", beside={"csrfmiddlewaretoken"}, terms=air.quote, **SAID)
    def book(flight: Annotated[Flight, Form()], act: Act) -> Any:
        air.book(flight, act)
        answer = HttpResponseRedirect("/booked/1", status=303)
        answer.set_cookie("seen", "yes")
        return answer

    class Wish(View):
        def get(self, request: HttpRequest, name: str) -> HttpResponse: ...

        @guard.form("make_wish", unlinked="pass", **WISH)  # type: ignore[untyped-decorator]  # of any of the guards
        def post(self, name: str, much: Annotated[int, Form()], act: Act | None) -> Any:
            at = f"{self.request.method} {self.request.path}"
            return HttpResponse(air.wish(name, much, act, at), status=201, headers={"X-Own": "1"})

    @guard.form("upgrade", unlinked="refuse", terms=air.own_price, intent="Upgrade", summary="To {cabin}")
    def upgrade(cabin: Annotated[str, Form()], act: Act) -> Any:
        air.booked.append((act.account, {"cabin": cabin}))
        return {"cabin": cabin}

    @require_POST
    def cancel(request: HttpRequest, reference: str) -> HttpResponse: ...

    @require_GET
    def look(request: HttpRequest) -> HttpResponse: ...

    return [
        *guard.urls,
        path("book", book),
        path("wish/<name>", csrf_exempt(Wish.as_view())),
        path("upgrade", csrf_exempt(upgrade)),
        path("cancel/<reference>", cancel),
        path("look", look),
    ]
