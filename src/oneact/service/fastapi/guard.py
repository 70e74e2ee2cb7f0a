"""The guard for FastAPI: a router, and a decorator beneath `@app.post`; translates and decides nothing."""

from __future__ import annotations

import contextlib
import functools
import logging
from typing import TYPE_CHECKING, Any, Final, Literal, Unpack
from weakref import WeakSet

from fastapi import APIRouter, Request, Response

from oneact.errors import Refusal
from oneact.service import asgi, endpoints, exchange, reading
from oneact.service.declaring import HandlerOptions, takes
from oneact.service.fastapi import forms, routes
from oneact.service.fastapi.forms import FormHandler
from oneact.service.fastapi.handler import BY_NAME, Handler, read, response
from oneact.service.fastapi.reader import Reader
from oneact.service.forms.desk import Desk, Form
from oneact.service.forms.intake import HELD_PATH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

    from oneact.service.asgi import Receive, Scope, Send

_LOG: Final = logging.getLogger("oneact.service")
_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]  # what an address does not take, the guard refuses itself


class Guard(asgi.Guard):
    """The guard with its FastAPI face: `router` to include, and `action` to decorate handlers with."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - they are named and typed at GuardCore
        super().__init__(**settings)
        self._handlers: dict[str, Handler] = {}
        self._readers: dict[str, Reader] = {}
        self._bound: WeakSet[Any] = WeakSet()
        self._desk: Desk | None = None
        self.uncovered: tuple[str, ...] = ()
        self.router = APIRouter(lifespan=self._lifespan, include_in_schema=False)
        for path in map(_route, endpoints.own_paths(self)):
            self.router.add_api_route(path, self._answer, methods=_METHODS, response_model=None)

    @takes(HandlerOptions)
    def action(
        self, name: str, *, reads: Collection[str] = (), **said: Unpack[HandlerOptions]
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Guard a handler: `@app.post(…)` stands above, the handler's arguments are the action's parameters.

        A pydantic model's members, path and query parameters stand flat beside each other; `act: Act`, `Request` and
        `Depends` arguments are no parameters. `terms` takes any of the handler's arguments by name or type and
        returns what its annotation, or `terms_schema`, describes; it also runs for callers who are not known.
        `terms_hold` takes the same and `terms`. Where either takes an `Asker` as well, the terms are told to the agent
        of a linked person alone. `reads` names the headers and cookies that dependencies read, and
        `request` where one or the handler takes the request itself: none of that is shown or signed, so an agent may
        choose it after the approval. A file (`UploadFile`, or `bytes` with `File()`) has at most `max_file_octets`, and
        stands in the act by digest, name, type and size. `spends` says that the handler calls `guard.spend`. Raises
        ValueError for what cannot be hashed, shown or told apart, and for what is read without being named.
        """

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            return self._declare(Handler(self, name, function, said, reads), said)

        return decorate

    @takes(HandlerOptions)
    def form(
        self,
        name: str,
        *,
        unlinked: Literal["refuse", "pass"],
        beside: Collection[str] = (),
        reads: Collection[str] = (),
        **said: Unpack[HandlerOptions],
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Guard the handler of an HTML form; all is as at `action`, and a browser's submission waits for its person.

        `unlinked` says what becomes of an account without a passkey: its submission is refused, or it passes to the
        handler as if there were no guard, with None for its `act: Act | None`. `beside` names the form's fields that a
        dependency reads and that are no parameters, such as the token of a protection against forged submissions:
        they are neither shown nor signed.
        """
        if self._desk is None:
            self._desk = Desk(self, waits=True)
        desk, chosen = self._desk, Form(name, unlinked)

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            return self._declare(FormHandler(desk, chosen, beside, self, name, function, said, reads), said)

        return decorate

    def _declare(self, handler: Handler, said: HandlerOptions) -> Callable[..., Any]:
        """Publish the action of a handler, and give what stands in the handler's place."""
        self.register(handler.publish(said))
        self._handlers[handler.name] = handler
        return handler.endpoint()

    def read(self, name: str, *, intent: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Guard a read: `@app.get(…)` stands above, and the handler changes nothing.

        It takes whatever FastAPI gives, and an argument annotated `Reading` for who reads. An agent reads it as often
        as it likes within a session in which the person has opened it by this `intent`, one line. What it asks for
        beside that is not shown to the person. Raises ValueError for a name that is taken, or what cannot be published.
        """

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            reader = Reader(self, name, intent, function)
            reader.declare_in(self._readers)
            return reader.endpoint()

        return decorate

    def bind(self, app: Any) -> None:  # noqa: ANN401 - whichever application has the routes
        """Find the routes of the guarded handlers, now that they are all declared, and publish their paths.

        It is called when the application starts. Raises ValueError for a path that names no argument of its handler,
        and for a route that runs a guarded handler without the guard, because its decorators stand in the wrong order.
        """
        if app in self._bound:
            return
        acts, reads = self._handlers.values(), self._readers.values()
        routes.check_none_is_raw(app, [*(found.function for found in acts), *(found.function for found in reads)])
        for route in routes.of(app):
            handler = getattr(getattr(route, "endpoint", None), "oneact_handler", None)
            if isinstance(handler, Handler) and handler.guard is self and not handler.bound:
                method = next(iter(sorted(route.methods or {"POST"})))
                handler.bind(method, route.path_format, _names_in(route.path_format))
                handler.stand_at(route)
            reader = getattr(getattr(route, "endpoint", None), "oneact_reader", None)
            if isinstance(reader, Reader) and reader.guard is self and not reader.bound:
                reader.bind(route.path_format, set(route.methods or {"GET"}))
        if self._desk is not None:
            self._tell_uncovered(app)
        self._bound.add(app)  # last: an application with a mistake stays refused

    def _tell_uncovered(self, app: Any) -> None:  # noqa: ANN401 - as in `bind`
        """Say at the start by which other routes a browser could do something without the guard."""
        self.uncovered = tuple(routes.uncovered(app, self._answer))
        for route in self.uncovered:
            _LOG.warning("not covered by the guard: %s", route)

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Any) -> AsyncIterator[None]:  # noqa: ANN401 - as in `bind`
        self.bind(app)
        async with self.lifespan():
            yield

    async def _answer(self, request: Request) -> Response:
        self.bind(request.app)
        try:
            found = await read(request)
            by_name = found.path == endpoints.ACT_PATH and found.method == "POST"
            name, given = reading.by_name(found) if by_name else ("", {})
        except Refusal as refusal:
            return response(exchange.refused(refusal, request.method, asgi.head(request.scope).path))
        if self._desk is not None and found.path.startswith(HELD_PATH):
            return response(await self._desk.answer(found, functools.partial(forms.again, request)))
        if name in self._handlers:
            return _ByName(self._handlers[name], given, found.body)
        return response(await endpoints.answer(self, found))


class _ByName(Response):
    """An answer that comes from the guarded handler's hidden route, so that FastAPI provides its dependencies."""

    def __init__(self, handler: Handler, given: dict[str, Any], body: bytes) -> None:
        super().__init__()
        self._handler, self._given, self._read = handler, given, body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the body is read
        async def again() -> dict[str, Any]:
            return {"type": "http.request", "body": self._read, "more_body": False}

        await self._handler.route.app({**scope, "path_params": {}, BY_NAME: self._given}, again, send)


def _route(path: str) -> str:
    return path + "{rest:path}" if path.endswith("/") else path


def _names_in(path: str) -> list[str]:
    return [part.partition("}")[0].partition(":")[0] for part in path.split("{")[1:]]
