"""The guard for Flask: a blueprint, and a decorator beneath `@app.post`; translates and decides nothing."""

from __future__ import annotations

import functools
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal, Unpack
from weakref import WeakSet

from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service import endpoints, environ, exchange, wsgi
from oneact.service.declaring import HandlerOptions, takes
from oneact.service.flask import forms, routes, uploads
from oneact.service.flask.forms import FormHandler
from oneact.service.flask.handler import Handler, response
from oneact.service.flask.reader import Reader
from oneact.service.forms.desk import Desk, Form
from oneact.service.forms.intake import HELD_PATH
from oneact.service.typed import parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from flask.blueprints import BlueprintSetupState

    from oneact.service.exchange import Answer
    from oneact.service.wsgi import Answering

_LOG: Final = logging.getLogger("oneact.service")
_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]  # what an address does not take, the guard refuses itself


class Guard(wsgi.Guard):
    """The guard with its Flask face: `blueprint` to register, and `action` to decorate handlers with."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - they are named and typed at GuardCore
        super().__init__(**settings)
        self._handlers: dict[str, Handler] = {}
        self._readers: dict[str, Reader] = {}
        self._bound: WeakSet[Flask] = WeakSet()
        self._desk: Desk | None = None
        self.uncovered: tuple[str, ...] = ()
        self.blueprint = Blueprint("oneact", __name__)
        self.blueprint.record(_check_prefix)
        self.blueprint.before_app_request(lambda: self.bind(current_app._get_current_object()))  # type: ignore[attr-defined]  # noqa: SLF001 - how Flask gives the application itself
        for rule in routes.below(endpoints.own_paths(self)):
            self.blueprint.add_url_rule(
                rule, "own", self._own, methods=_METHODS, provide_automatic_options=False, strict_slashes=False
            )

    def init_app(self, app: Flask) -> None:
        """Register the blueprint, for whoever makes the application in a function."""
        app.register_blueprint(self.blueprint)

    @takes(HandlerOptions)
    def action(
        self, name: str, **said: Unpack[HandlerOptions]
    ) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
        """Guard a handler: `@app.post(…)` stands above, the handler's arguments are the action's parameters.

        What the rule names comes from the path, a pydantic model's members from the JSON body, any other argument from
        the query, unless it is marked `Form` or `Body`; all stand flat beside each other. `act: Act` is no parameter.
        `terms` takes any of the handler's arguments by name or type and returns what its annotation, or
        `terms_schema`, describes; it also runs for callers who are not known. `terms_hold` takes the same and `terms`.
        A file (`FileStorage`, or `bytes` marked `File`) has at most `max_file_octets`, and stands in the act by digest,
        name, type and size. `spends` says that the handler calls `guard.spend`. What a handler reads of `flask.request`
        is neither shown nor signed. Raises ValueError for what cannot be hashed, shown or told apart.
        """

        def decorate(function: Callable[..., Any]) -> Callable[..., Response]:
            return self._declare(Handler(self, name, function, said), said)

        return decorate

    @takes(HandlerOptions)
    def form(
        self,
        name: str,
        *,
        unlinked: Literal["refuse", "pass"],
        beside: Collection[str] = (),
        **said: Unpack[HandlerOptions],
    ) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
        """Guard the handler of an HTML form; all is as at `action`, and a browser's submission waits for its person.

        `unlinked` says what becomes of an account without a passkey: its submission is refused, or it passes to the
        handler as if there were no guard, with None for its `act: Act | None`. `beside` names the form's fields that
        the application reads and that are no parameters, such as the token of a protection against forged submissions.
        """
        if self._desk is None:
            self._desk = Desk(self, waits=False)
        desk, chosen = self._desk, Form(name, unlinked)

        def decorate(function: Callable[..., Any]) -> Callable[..., Response]:
            return self._declare(FormHandler(desk, chosen, beside, self, name, function, said), said)

        return decorate

    def _declare(self, handler: Handler, said: HandlerOptions) -> Callable[..., Response]:
        """Publish the action of a handler, and give what stands in the handler's place."""
        self.register(handler.publish(said))
        self._handlers[handler.name] = handler
        return handler.endpoint(self)

    def read(self, name: str, *, intent: str) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
        """Guard a read: `@app.get(…)` stands above, and the view changes nothing.

        It takes what its rule reads of the path, and an argument annotated `Reading` for who reads; `flask.request` has
        the query. An agent reads it as often as it likes within a session in which the person has opened it by this
        `intent`, one line. What it asks for beside that is not shown to the person. Raises ValueError for a name that
        is taken, or what cannot be published.
        """

        def decorate(function: Callable[..., Any]) -> Callable[..., Response]:
            reader = Reader(self, name, intent, function)
            reader.declare_in(self._readers)
            return reader.endpoint()

        return decorate

    def bind(self, app: Flask) -> None:
        """Find the rules of the guarded handlers, now that they are all declared, and publish their paths.

        Every first request to an application calls it; call it yourself after the last route, and a mistake is told
        before there is a request. Raises ValueError for a rule that names no argument of its handler or reads more
        than the path, and for one that runs a guarded handler without the guard.
        """
        if app in self._bound:
            return
        acts, reads = self._handlers.values(), self._readers.values()
        functions = [*(found.function for found in acts), *(found.function for found in reads)]
        for rule, view in routes.of(app):
            routes.check_is_not_raw(rule, view, functions)
            handler = getattr(view, "oneact_handler", None)
            if isinstance(handler, Handler) and handler.guard is self and not handler.bound:
                handler.bind(*routes.published(rule))
            reader = getattr(view, "oneact_reader", None)
            if isinstance(reader, Reader) and reader.guard is self and not reader.bound:
                reader.bind(routes.methods_of(rule), *routes.published(rule)[1:])
        if self._desk is not None:
            self.uncovered = tuple(routes.uncovered(app, self._own))
            for way in self.uncovered:
                _LOG.warning("not covered by the guard: %s", way)
        self._bound.add(app)  # last: an application with a mistake stays refused

    def responded(self, answer: Answering, handler: Handler | None = None) -> Response:
        """Have Flask's current request answered, which is to the route of `handler` or to the guard's own addresses."""
        limit, refused = canonical.MAX_OCTETS, None
        if handler is not None:
            headers = tuple((name.lower(), value) for name, value in request.headers)
            head = exchange.Request(request.method, request.path, "", headers, b"", "")
            limit, refused = self.actions[handler.name].room.read, functools.partial(handler.refused, head=head)
        return response(self.answered(request.method, request.path, lambda: _read(limit), answer, refused))

    def _own(self, **_: str) -> Response:
        return self.responded(self._answer)

    async def _answer(self, found: exchange.Request) -> Answer:
        if self._desk is not None and found.path.startswith(HELD_PATH):
            return await self._desk.answer(found, functools.partial(forms.again, self))
        return await endpoints.answer(self, found)


def _check_prefix(state: BlueprintSetupState) -> None:
    if state.url_prefix or state.subdomain:
        raise ValueError("register guard.blueprint without a prefix or subdomain: resource= says where its paths lie")


def _read(limit: int) -> exchange.Request:
    """Read Flask's current request whole, also where a check of the application's own has read its form.

    Refuses `request_too_large` over `limit` octets.
    """
    found = replace(environ.head(request.environ), native=request._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - how Flask gives the request itself
    environ.check_ends(request.environ)
    if request.max_content_length is None or request.max_content_length > limit:
        request.max_content_length = limit
    try:
        body = request.get_data()
    except RequestEntityTooLarge as error:
        raise Refusal(Reason.REQUEST_TOO_LARGE, f"more than {request.max_content_length} octets") from error
    fields = [] if body else list(uploads.fields(request))
    if fields:
        return parsed.written(found, fields, limit)
    if len(body) != (request.content_length or len(body)):
        raise Refusal(Reason.INTERNAL, "the body was read before the guard: leave request.stream alone")
    return replace(found, body=body)
