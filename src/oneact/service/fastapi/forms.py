"""A guarded form in a FastAPI application: agents are answered as everywhere, browsers by the desk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from oneact.errors import Refusal
from oneact.service import asgi, exchange
from oneact.service.exchange import Answer
from oneact.service.fastapi.handler import Handler, read
from oneact.service.forms import browser
from oneact.service.typed import files

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from fastapi import Request

    from oneact.service.forms.desk import Desk, Form
    from oneact.service.store.holding import Submission


class FormHandler(Handler):
    """One decorated function that a form calls."""

    def __init__(self, desk: Desk, form: Form, beside: Collection[str], *rest: Any) -> None:  # noqa: ANN401 - as at Handler
        self._desk, self._form = desk, form
        super().__init__(*rest)
        self.beside = browser.check_beside(form.name, beside, self, passes=form.unlinked == "pass")

    async def answer(self, request: Request, provided: Mapping[str, Any]) -> Answer:
        """Hold what a browser submits; whoever comes with a token, or asks for an offer, is an agent."""
        head = asgi.head(request.scope)
        by_browser = not browser.is_agent(head)
        try:
            guarded = self.guard.actions[self.name]
            found = await read(request, guarded.room.read)
            given = self.given(guarded, found, request)
            if not by_browser:
                return await self.perform(guarded, given, found, request, provided)

            async def plain(parameters: dict[str, Any]) -> Answer:
                return await self._run(parameters, None, request, provided, files.contents(given))

            return await self._desk.submit(self._form, given, found, plain)
        except Refusal as refusal:
            if by_browser:
                return self._desk.refused(refusal, head)
            return exchange.refused(refusal, head.method, head.path)


async def again(request: Request, submission: Submission, more: tuple[tuple[str, str], ...]) -> Answer:
    """Give a submission to the application's routes as it was received, with the present cookies of its browser.

    Every dependency of the route runs, as for any request; middleware does not, since it runs for the request of the
    browser that this one is within. `more` are header fields in place of those of the same names.
    """
    fixed = (*submission.headers, *more, ("content-length", str(len(submission.body))))
    names = {name for name, _ in fixed} | browser.LEFT_OUT
    scope = request.scope
    present = [(name, value) for name, value in scope["headers"] if name.decode("latin-1").lower() not in names]
    path = quote(scope.get("root_path", "")) + submission.path
    as_received = {
        **scope,
        "method": submission.method,
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": submission.query.encode("latin-1"),
        "headers": [*present, *((name.encode("latin-1"), value.encode("latin-1")) for name, value in fixed)],
        "path_params": {},
    }
    said: list[Any] = []
    pending = [{"type": "http.request", "body": submission.body, "more_body": False}]

    async def receive() -> Any:  # noqa: ANN401 - a message of ASGI
        if not pending:  # the browser stays until it has been answered
            await asyncio.Event().wait()
        return pending.pop()

    async def send(message: Any) -> None:  # noqa: ANN401 - a message of ASGI
        said.append(message)

    await request.app.router(as_received, receive, send)
    return _gathered(said)


def _gathered(said: list[Any]) -> Answer:
    start, *parts = said
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    left = tuple(pair for pair in headers if pair[0].lower() not in {"content-type", "content-length"})
    return Answer(start["status"], b"".join(part.get("body", b"") for part in parts), kind, left)
