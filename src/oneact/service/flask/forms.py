"""A guarded form in a Flask application: agents are answered as everywhere, browsers by the desk."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

from flask import Flask, current_app, request

from oneact.errors import Refusal
from oneact.service import exchange, reading
from oneact.service.exchange import Answer
from oneact.service.flask.handler import Handler
from oneact.service.forms import browser
from oneact.service.typed import files

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from oneact.service.flask.guard import Guard
    from oneact.service.forms.desk import Desk, Form
    from oneact.service.store.holding import Submission

_PLAIN: Final = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
_SENT: Final = frozenset({"RAW_URI", "REQUEST_URI"})


class FormHandler(Handler):
    """One decorated function that a form calls."""

    def __init__(self, desk: Desk, form: Form, beside: Collection[str], *rest: Any) -> None:  # noqa: ANN401 - as at Handler
        self._desk, self._form = desk, form
        super().__init__(*rest)
        self.beside = browser.check_beside(form.name, beside, self, passes=form.unlinked == "pass")

    async def _acted(self, guard: Guard, request: exchange.Request, path: Mapping[str, Any]) -> Answer:
        """Hold what a browser submits; whoever comes with a token, or asks for an offer, is an agent."""
        if browser.is_agent(request):
            return await super()._acted(guard, request, path)
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


async def again(guard: Guard, submission: Submission, more: tuple[tuple[str, str], ...]) -> Answer:
    """Give a submission to the application as it was received, with the present cookies of its browser.

    All that runs around a request of the application runs around this one. `more` are header fields in place of those
    of the same names.
    """

    def dispatch() -> Answer:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - how Flask gives the application itself
        with app.request_context(_environ(submission, more)):
            made = app.full_dispatch_request()
            kind = made.headers.get("Content-Type", "")
            left = tuple(pair for pair in made.headers if pair[0].lower() not in {"content-type", "content-length"})
            return Answer(made.status_code, made.get_data(), kind, left)

    return await guard.call(dispatch, "place")  # type: ignore[no-any-return]  # what it calls gives one


def _environ(submission: Submission, more: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Give the environment of a submission: that of the present request, with what was submitted in its place."""
    fixed = dict([*submission.headers, *more, ("content-length", str(len(submission.body)))])
    gone = {_key(name) for name in {*fixed, *browser.LEFT_OUT}} | _SENT
    present = request.environ.items()
    kept = {name: value for name, value in present if name not in gone and not name.startswith("werkzeug.")}
    return {
        **kept,
        **{_key(name): value for name, value in fixed.items()},
        "REQUEST_METHOD": submission.method,
        "PATH_INFO": unquote_to_bytes(submission.path).decode("latin-1"),
        "REQUEST_URI": request.environ.get("SCRIPT_NAME", "") + submission.path,
        "QUERY_STRING": submission.query,
        "wsgi.input": io.BytesIO(submission.body),
    }


def _key(name: str) -> str:
    return _PLAIN.get(name) or "HTTP_" + name.upper().replace("-", "_")
