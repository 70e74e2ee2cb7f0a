"""A guarded form in a Django site: agents are answered as everywhere, browsers by the desk."""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, unquote_to_bytes

from django.conf import settings as site
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.urls import get_urlconf, set_urlconf

from oneact.errors import Refusal
from oneact.service import exchange, reading
from oneact.service.django import answers
from oneact.service.django.handler import Handler
from oneact.service.exchange import Answer
from oneact.service.forms import browser
from oneact.service.typed import files

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from django.http import HttpRequest

    from oneact.service.django.guard import Guard
    from oneact.service.forms.desk import Desk, Form
    from oneact.service.store.holding import Submission

_PLAIN: Final = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
_SENT: Final = frozenset({"RAW_URI", "SCRIPT_URL", "REDIRECT_URL"})  # they name the address of the present request


class FormHandler(Handler):
    """One decorated function, or method of a view class, that a form calls."""

    for_browsers = True

    def __init__(self, desk: Desk, form: Form, beside: Collection[str], *rest: Any) -> None:  # noqa: ANN401 - as at Handler
        self._desk, self._form = desk, form
        super().__init__(*rest)
        self.beside = browser.check_beside(form.name, beside, self, passes=form.unlinked == "pass")

    async def _acted(self, guard: Guard, request: exchange.Request, path: Mapping[str, Any]) -> Answer:
        """Hold what a browser submits; whoever comes with a token, or asks for an offer, is an agent."""
        if browser.is_agent(request):
            return await super()._acted(guard, request, path)
        self.check_bound()
        guarded = guard.actions[self.name]
        if request.method != guarded.action.method:
            return exchange.of_other_method(request, [guarded.action.method])

        async def plain(parameters: dict[str, Any]) -> Answer:
            return await guard.call(lambda: self._executed(parameters, None, contents), "place")  # type: ignore[no-any-return]  # what it calls gives one

        try:
            given = reading.given(guarded, request, self.texts(path), self.beside)
            contents = files.contents(given)
            return await self._desk.submit(self._form, given, request, plain)
        except Refusal as refusal:
            return self.refused(refusal, request)

    def refused(self, refusal: Refusal, head: exchange.Request) -> Answer:
        """Say no on a page, as long as no agent asks."""
        return super().refused(refusal, head) if browser.is_agent(head) else self._desk.refused(refusal, head)


async def again(
    guard: Guard, present: HttpRequest, submission: Submission, more: tuple[tuple[str, str], ...]
) -> Answer:
    """Give a submission to the site as it was received, with the present cookies of its browser.

    All middleware runs around it, in the thread of the `present` request; the signals of a request, which close the
    connections to databases, are sent for that one alone. `more` are header fields in place of those of the same names.
    """

    def dispatch() -> Answer:
        make = _of_asgi if hasattr(present, "scope") else _of_wsgi
        request, around = make(present, submission, more), get_urlconf()
        try:
            made = _site(tuple(site.MIDDLEWARE)).get_response(request)
            kind, left = made.headers.get("Content-Type", ""), tuple(answers.headers(made))
            return Answer(made.status_code, made.getvalue(), kind, left)
        finally:
            request.close()
            set_urlconf(around)

    return await guard.call(dispatch, "place")  # type: ignore[no-any-return]  # what it calls gives one


@functools.cache
def _site(_middleware: tuple[str, ...]) -> BaseHandler:
    """Give what answers the requests of the site: its middleware, its routes, its views."""
    found = BaseHandler()
    found.load_middleware()
    return found


def _of_wsgi(present: Any, submission: Submission, more: tuple[tuple[str, str], ...]) -> HttpRequest:  # noqa: ANN401 - of WSGI
    """Make a request of a submission: the environment of the present one, with what was submitted in its place."""
    fixed = _fixed(submission, more)
    gone = {_key(name) for name in {*fixed, *browser.LEFT_OUT}} | _SENT
    mount = present.META["SCRIPT_NAME"].encode()
    environ = {
        **{name: value for name, value in present.environ.items() if name not in gone},
        **{_key(name): value for name, value in fixed.items()},
        "REQUEST_METHOD": submission.method,
        "SCRIPT_NAME": mount.decode("latin-1"),  # which Django has decoded in place
        "PATH_INFO": unquote_to_bytes(submission.path).decode("latin-1"),
        "REQUEST_URI": quote(mount) + submission.path,
        "QUERY_STRING": submission.query,
        "wsgi.input": io.BytesIO(submission.body),
    }
    return WSGIRequest(environ)


def _of_asgi(present: Any, submission: Submission, more: tuple[tuple[str, str], ...]) -> HttpRequest:  # noqa: ANN401 - of ASGI
    fixed, mount = _fixed(submission, more), present.META["SCRIPT_NAME"]
    gone = {*fixed, *browser.LEFT_OUT}
    headers = [pair for pair in present.scope["headers"] if pair[0].decode("latin-1").lower() not in gone]
    scope = {
        **present.scope,
        "method": submission.method,
        "path": mount + unquote(submission.path),
        "raw_path": (quote(mount) + submission.path).encode("latin-1"),
        "query_string": submission.query.encode("latin-1"),
        "headers": [*headers, *((name.encode("latin-1"), value.encode("latin-1")) for name, value in fixed.items())],
    }
    return ASGIRequest(scope, io.BytesIO(submission.body))


def _fixed(submission: Submission, more: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return dict([*submission.headers, *more, ("content-length", str(len(submission.body)))])


def _key(name: str) -> str:
    return _PLAIN.get(name) or "HTTP_" + name.upper().replace("-", "_")
