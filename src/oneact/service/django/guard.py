"""The guard for Django: `urls` for the URLconf, and a decorator that makes views; translates and decides nothing."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, Unpack

from django.conf import settings as site
from django.core.signals import request_started
from django.urls import get_resolver, path
from django.views.decorators.csrf import csrf_exempt

from oneact.protocol import canonical
from oneact.service import endpoints, exchange, wsgi
from oneact.service.declaring import HandlerOptions, takes
from oneact.service.django import answers, forms, incoming, routes
from oneact.service.django.forms import FormHandler
from oneact.service.django.handler import VISITED, Handler, outside_transactions
from oneact.service.django.reader import Reader
from oneact.service.forms.desk import Desk, Form
from oneact.service.forms.intake import HELD_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase
    from django.urls import URLPattern

    from oneact.service.exchange import Answer
    from oneact.service.wsgi import Answering

_LOG: Final = logging.getLogger("oneact.service")
_View = TypeVar("_View", bound="Callable[..., HttpResponseBase]")


class Guard(wsgi.Guard):
    """The guard with its Django face: `urls` for the URLconf, and `action` to make views of handlers."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - they are named and typed at GuardCore
        super().__init__(**settings)
        self._handlers: dict[str, Handler] = {}
        self._readers: dict[str, Reader] = {}
        self._bound: set[Any] = set()
        self._desk: Desk | None = None
        self.uncovered: tuple[str, ...] = ()
        self._own_view = csrf_exempt(lambda request, **_: self.own(request))  # the link page has a token of its own
        self._own_view.login_required = False  # it leads to the sign-in itself where there has to be one
        outside_transactions(self._own_view)
        request_started.connect(self._bind_site)

    @property
    def urls(self) -> list[URLPattern]:
        """Give the service's own addresses: `urlpatterns = [*guard.urls, …]`."""
        return [path(route, self._own_view) for route in routes.below(endpoints.own_paths(self))]

    @takes(HandlerOptions)
    def action(
        self, name: str, *, method: str | None = None, **said: Unpack[HandlerOptions]
    ) -> Callable[[Callable[..., Any]], Callable[..., HttpResponse]]:
        """Guard a handler and give the view for `path()`; the handler's arguments are the action's parameters.

        What the route names comes from the path, a pydantic model's members from the JSON body, any other argument
        from the query, unless it is marked `Form` or `Body`; all stand flat beside each other. `act: Act` is no
        parameter, nor is `self` of a method in a view class, and there is no request: nobody has signed it. `method`
        is the HTTP method of a function, POST where nothing is said. `terms` takes any of the handler's arguments by
        name or type and returns what its annotation, or `terms_schema`, describes; it also runs for callers who are
        not known. `terms_hold` takes the same and `terms`. A file (`UploadedFile`, or `bytes` marked `File`) has at
        most `max_file_octets`, and stands in the act by digest, name, type and size. `spends` says that the handler
        calls `guard.spend`. Raises ValueError for what cannot be hashed, shown or told apart.
        """

        def decorate(function: Callable[..., Any]) -> Callable[..., HttpResponse]:
            return _for_agents(self._declare(Handler(self, name, function, said, method), said))

        return decorate

    @takes(HandlerOptions)
    def form(
        self,
        name: str,
        *,
        unlinked: Literal["refuse", "pass"],
        beside: Collection[str] = (),
        **said: Unpack[HandlerOptions],
    ) -> Callable[[Callable[..., Any]], Callable[..., HttpResponse]]:
        """Guard the handler of an HTML form; all is as at `action`, and a browser's submission waits for its person.

        `unlinked` says what becomes of an account without a passkey: its submission is refused, or it passes to the
        handler as if there were no guard, with None for its `act: Act | None`. `beside` names the form's fields that
        the application reads and that are no parameters, such as `csrfmiddlewaretoken`:
        Django's own check stays in front.
        """
        if self._desk is None:
            self._desk = Desk(self, waits=False)
        desk, chosen = self._desk, Form(name, unlinked)

        def decorate(function: Callable[..., Any]) -> Callable[..., HttpResponse]:
            return self._declare(FormHandler(desk, chosen, beside, self, name, function, said, None), said)

        return decorate

    def _declare(self, handler: Handler, said: HandlerOptions) -> Callable[..., HttpResponse]:
        """Publish the action of a handler, and give what stands in the handler's place."""
        self.register(handler.publish(said))
        self._handlers[handler.name] = handler
        view = handler.endpoint(self)
        outside_transactions(view)
        return view

    def read(self, name: str, *, intent: str) -> Callable[[Callable[..., Any]], Callable[..., HttpResponseBase]]:
        """Guard a read and give the view for `path()`; a GET, which changes nothing.

        The function, or the method `get` of a view class, takes what Django gives it, the request first, and an
        argument annotated `Reading` for who reads. An agent reads it as often as it likes within a session in which
        the person has opened it by this `intent`, one line. What it asks for beside that is not shown to the person.
        Raises ValueError for a name that is taken, or what cannot be published.
        """

        def decorate(function: Callable[..., Any]) -> Callable[..., HttpResponseBase]:
            reader = Reader(self, name, intent, function)
            reader.declare_in(self._readers)
            return _for_agents(reader.endpoint(self))

        return decorate

    def bind(self, urlconf: object = None) -> None:
        """Find the routes of the guarded handlers, in ROOT_URLCONF or another, and publish their paths.

        Every first request calls it; call it yourself, and a mistake is told before there is a request. Raises
        ValueError for a route that cannot be published, for a view in front of the guard that would refuse every
        agent, and for a route that runs a guarded handler without the guard.
        """
        found = site.ROOT_URLCONF if urlconf is None else urlconf
        if found in self._bound:
            return
        acts, reads = self._handlers.values(), self._readers.values()
        functions = [*(found.function for found in acts), *(found.function for found in reads)]
        for route in routes.of(get_resolver(found)):
            if route.view is self._own_view:
                routes.check_is_at_root(route)
                continue
            routes.check_is_not_raw(route, functions)
            guarded = [part for part in route.parts() if part.handler is not None]
            for part in guarded:  # also those of another guard, to which each handler belongs by itself
                part.bind(route)
            if any(part.handler.for_browsers for part in guarded if part.handler is not None):
                routes.keep_for_browsers(route)
            elif guarded:
                routes.open_to_agents(route)
        if self._desk is not None:
            self._tell_uncovered(tuple(routes.uncovered(get_resolver(found), self._own_view)))
        self._bound.add(found)  # last: a site with a mistake stays refused

    def own(self, request: HttpRequest) -> HttpResponse:
        """Answer a request to one of the service's own addresses."""
        return self.responded(request, self._answer)

    def is_own(self, path: str) -> bool:
        """Tell whether a path, within the service, is one of its own addresses."""
        return any(path == at or (at.endswith("/") and path.startswith(at)) for at in endpoints.own_paths(self))

    def responded(
        self, request: HttpRequest, answer: Answering, view: object = None, handler: Handler | None = None
    ) -> HttpResponse:
        """Have a request of Django's answered, in its thread; it is to a route of `handler` or to the guard's own."""
        self.bind(getattr(request, "urlconf", None))
        limit, refused, method, path = canonical.MAX_OCTETS, None, request.method or "", request.path_info
        if handler is not None:
            headers = tuple((name.lower(), value) for name, value in request.headers.items())
            head = exchange.Request(method, path, "", headers, b"", "")
            limit, refused = self.actions[handler.name].room.read, functools.partial(handler.refused, head=head)
        visited = VISITED.set((request, view))
        try:
            return answers.response(self.answered(method, path, lambda: incoming.read(request, limit), answer, refused))
        finally:
            VISITED.reset(visited)

    async def _answer(self, found: exchange.Request) -> Answer:
        if self._desk is not None and found.path.startswith(HELD_PATH):
            return await self._desk.answer(found, functools.partial(forms.again, self, found.native))
        return await endpoints.answer(self, found)

    def _tell_uncovered(self, ways: tuple[str, ...]) -> None:
        self.uncovered += ways  # of one URLconf beside those of others
        for way in ways:
            _LOG.warning("not covered by the guard: %s", way)

    def _bind_site(self, **_: Any) -> None:  # noqa: ANN401 - what the signal tells
        self.bind()


def _for_agents(view: _View) -> _View:
    """Take off a view what asks an agent to sign in, or for the token of a form."""
    # What `@api_view` makes of the view asks no agent to sign in, unless decorators in between say so.
    view.authentication_classes, view.permission_classes = [], []  # type: ignore[attr-defined]  # as its own decorators do
    view.csrf_exempt = True  # type: ignore[attr-defined]  # no cookie gives a caller any authority here
    view.login_required = False  # type: ignore[attr-defined]  # the approval says for whom it runs
    return view
