"""Django's settings for all tests of one process, which may have one set alone, and as many sites as there are tests.

Each site is a list of patterns, which a middleware chooses by what stands in the environment of the request.
"""

import types
from collections.abc import Callable, Sequence
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, JsonResponse

if not settings.configured:
    settings.configure(
        ROOT_URLCONF=__name__,
        SECRET_KEY="for tests alone",
        ALLOWED_HOSTS=["*"],
        LOGGING_CONFIG=None,
        CSRF_FAILURE_VIEW=f"{__name__}.forged",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        MIDDLEWARE=[
            f"{__name__}.choosing",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
    )
    django.setup()

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler

from oneact.service.django import Guard

SITE = "tests.urlconf"
UNPROTECTED = "tests.unprotected"  # in the environment of a request that Django is not to check for forgery
urlpatterns: list[Any] = []  # of ROOT_URLCONF, which no test uses


def choosing(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    def middleware(request: HttpRequest) -> Any:
        around = getattr(request, "scope", request.META)
        request.urlconf = around.get(SITE)
        if around.get(UNPROTECTED):
            request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # as its test client says it
        return get_response(request)

    return middleware


def forged(request: HttpRequest, **_: str) -> JsonResponse:
    """Say what Django's own check has found."""
    assert request.method
    return JsonResponse({"detail": "forged"}, status=403)


def urlconf(patterns: Sequence[Any]) -> Any:
    """Give a URLconf, as a module would be one."""
    made = types.ModuleType("urls")
    made.urlpatterns = patterns  # type: ignore[attr-defined]
    return made


def serving(guard: Guard, patterns: Sequence[Any]) -> Any:
    """Give the WSGI application of a site."""
    urls, handler = urlconf(patterns), WSGIHandler()
    guard.bind(urls)
    return lambda environ, start_response: handler({**environ, SITE: urls}, start_response)


def serving_async(guard: Guard, patterns: Sequence[Any]) -> Any:
    """Give the ASGI application of a site."""
    urls, handler = urlconf(patterns), ASGIHandler()
    guard.bind(urls)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await handler({**scope, SITE: urls}, receive, send)

    return app
