"""The guard for plain WSGI, and what every synchronous framework shares; translates and decides nothing.

The guard works in a loop of its own, one for each process; what is the owner's runs in the thread of the request.
"""

from __future__ import annotations

import asyncio
import http.client
import inspect
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from oneact.errors import Reason, Refusal
from oneact.service import endpoints, environ, exchange, readers, spending, visit
from oneact.service.background import Background
from oneact.service.described import DescribedGuard
from oneact.service.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from oneact.service.account_page import AccountLinks
    from oneact.service.act import Reading
    from oneact.service.exchange import Answer, Request
    from oneact.service.guard import Where
    from oneact.service.guarded import Guarded
    from oneact.service.store.contract import State

    Environ = dict[str, Any]
    StartResponse = Callable[..., Any]
    Answering = Callable[[Request], Coroutine[Any, Any, Answer]]
    Refused = Callable[[Refusal], Answer]

ROUTING_ARGS: Final = "wsgiorg.routing_args"  # where a router leaves what it has read of the path, by position and name
_NO_BODY: Final = frozenset({204, 304})

_T = TypeVar("_T")


class Guard(DescribedGuard["Endpoint"]):
    """The guard with its WSGI face: `app`, and the decorator `wsgi`. Settings are `GuardCore`'s.

    It begins by itself with the first request of a process, and ends with it. None of the owner's functions may be
    asynchronous: each runs in the thread of the request that needs it.
    """

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - they are named and typed at GuardCore
        self._background = Background(self.start, self.stop)
        for name in ("account", "notify"):
            self.check_owned(f"{name}=", settings.get(name))
        super().__init__(**settings)

    wsgi = DescribedGuard.described

    def wsgi_read(
        self, name: str, *, intent: str, path: str
    ) -> Callable[[Callable[[Request, Reading], Any]], ReadEndpoint]:
        """Guard `handler(request, reading)` of a read and give a WSGI app for its route, a GET.

        `intent` is one line for the person, `path` where the route stands. The handler changes nothing, and gives what
        the handler of an action may give. Raises ValueError for a name that is taken, or what cannot be published.
        """
        self.publish_read(name, intent, path)
        return lambda handler: ReadEndpoint(self, name, handler)

    @property
    def app(self) -> App:
        """Give the service's own addresses as a WSGI app."""
        return App(self)

    def stop_sync(self) -> None:
        """Finish the acts under way, stop delivering, let go of the store; the next request begins anew."""
        self._background.stop()

    def settle_sync(self, issuer: str, txn: str, state: State) -> bool:
        """Say what became of an act that is `unknown`, as `settle` does."""
        return self.visited(self.settle(issuer, txn, state))

    def unlink_sync(self, account: str) -> bool:
        """Take every approval server off a local account, as `unlink` does."""
        return self.visited(self.unlink(account))

    def links_of_sync(self, account: str) -> AccountLinks:
        """Give the links of a local account, as `links_of` does."""
        return self.visited(self.links_of(account))

    def links_html_sync(self, account: str) -> str:
        """Give the same as a piece of HTML, as `links_html` does."""
        return self.visited(self.links_html(account))

    def visited(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Have the guard do something, and run in this very thread what it needs of the owner's."""
        return Visit().serve(self._background.submit, work)

    def answered(
        self, method: str, path: str, read: Callable[[], Request], answer: Answering, refused: Refused | None = None
    ) -> Answer:
        """Read a request and have it answered; `method` and `path` are for the log.

        What cannot even be read is told as `refused` does, as JSON where nothing is said.
        """
        return self.decided(method, path, lambda: answer(read()), refused)

    def known(self, name: str, method: str, path: str, head: Callable[[], Request]) -> Reading | Answer:
        """Tell who makes a request for the read `name`, or give the answer for whoever no person has opened it to."""

        async def reading(found: Request) -> Reading | Answer:
            if found.method not in readers.METHODS:
                return exchange.of_other_method(found, ["GET"])
            return await readers.reading_of(self, name, found)

        return self.decided(method, path, lambda: reading(head()))

    def decided(
        self, method: str, path: str, work: Callable[[], Coroutine[Any, Any, _T]], refused: Refused | None = None
    ) -> _T | Answer:
        """Have the guard do something for a request and give what it gives, or the answer that refuses it."""
        try:
            return self.visited(work())
        except Refusal as refusal:
            return exchange.refused(refusal, method, path) if refused is None else refused(refusal)
        except CancelledError:
            return exchange.refused(Refusal(Reason.STORE_UNAVAILABLE, "the guard has stopped"), method, path)

    async def call(self, function: Callable[[], Any], where: Where = "thread") -> Any:  # noqa: ANN401, ARG002 - the owner's own, and one place for all
        """Call a function of the owner's in the thread of the request; in another where no request asks for it."""
        visitor = visit.current()
        found = await (asyncio.to_thread(function) if visitor is None else visitor.call(spending.carried(function)))
        if inspect.isawaitable(found):
            if inspect.iscoroutine(found):
                found.close()
            raise TypeError(f"{function!r} is asynchronous, which the guard for WSGI cannot call")
        return found

    def check_owned(self, what: str, function: Callable[..., Any] | None) -> None:
        """Raise ValueError for an asynchronous function, since there is no loop of the owner's to run it."""
        if inspect.iscoroutinefunction(function):
            raise ValueError(f"{what}: write def, not async def: it runs in the thread of its request")

    def register(self, guarded: Guarded) -> None:
        """Add an action; its handler needs no thread of the guard's."""
        super().register(replace(guarded, blocking=False))

    def _endpoint(self, name: str) -> Endpoint:
        return Endpoint(self, name)


class App:
    """The service's own addresses as a WSGI app."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return _respond(self._guard, environ, start_response, lambda request: endpoints.answer(self._guard, request))


class Endpoint:
    """The WSGI app of one guarded action; a router gives it the path's values in `wsgiorg.routing_args`."""

    def __init__(self, guard: Guard, name: str) -> None:
        self._guard = guard
        self._name = name

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request to the action's own route."""
        path = {name: str(value) for name, value in environ.get(ROUTING_ARGS, ((), {}))[1].items()}
        guard, name = self._guard, self._name
        return _respond(guard, environ, start_response, lambda request: guard.acted(name, path, request))


class ReadEndpoint:
    """The WSGI app of one read."""

    def __init__(self, guard: Guard, name: str, handler: Callable[[Request, Reading], Any]) -> None:
        self._guard, self._name, self._handler = guard, name, handler

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request to the read's own route."""
        guard, name, handler = self._guard, self._name, self._handler
        return _respond(guard, environ, start_response, lambda request: guard.read_by(name, handler, request))


def _respond(guard: Guard, found: Environ, start_response: StartResponse, answer: Answering) -> Iterable[bytes]:
    method = found["REQUEST_METHOD"]
    made = guard.answered(method, found.get("PATH_INFO", ""), lambda: environ.read(found), answer)
    headers = [("Content-Type", made.content_type)] if made.body else []
    if made.status not in _NO_BODY:
        headers.append(("Content-Length", str(len(made.body))))
    start_response(f"{made.status} {http.client.responses.get(made.status, 'Unknown')}", [*headers, *made.headers])
    return [] if method == "HEAD" else [made.body]
