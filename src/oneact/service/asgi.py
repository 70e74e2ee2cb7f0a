"""The guard for plain ASGI, for Starlette and for whatever mounts an ASGI app; translates and decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.protocol.action import Rule
from oneact.service import actions, endpoints, exchange, readers, reading
from oneact.service.askers import asker_argument
from oneact.service.exchange import Answer, Request
from oneact.service.guard import GuardCore
from oneact.service.guarded import DEADLINE, Guarded, by_schema

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping

    from oneact.protocol.canonical import Json
    from oneact.service.act import Act, Reading
    from oneact.service.threads import Threads

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

UNLINK: Final = "oneact.unlink"


class Guard(GuardCore):
    """The guard with its ASGI face: `app`, `lifespan` and the decorator `asgi`. Settings are `GuardCore`'s."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - they are named and typed at GuardCore
        super().__init__(**settings)
        self.asgi(
            UNLINK,
            intent="Unlink the account",
            summary="Take {issuer} off this account; its agents can do nothing here any more",
            schema={"type": "object", "properties": {"issuer": {"type": "string"}}, "required": ["issuer"]},
            reversible=True,
        )(self._unlink)

    @property
    def app(self) -> App:
        """Give the service's own addresses as an ASGI app."""
        return App(self)

    @contextlib.asynccontextmanager
    async def lifespan(self, _: object = None) -> AsyncIterator[None]:
        """Start with the application and stop with it: `Starlette(lifespan=guard.lifespan)`."""
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    def asgi(  # noqa: PLR0913 - what is published of an action, and the functions behind it
        self,
        name: str,
        *,
        intent: str,
        summary: str,
        schema: Mapping[str, Json],
        sources: Mapping[str, str] | None = None,
        terms: Callable[..., Any] | None = None,
        terms_schema: Mapping[str, Json] | None = None,
        terms_hold: Callable[..., Any] | None = None,
        display: Mapping[str, str | tuple[str, str]] | None = None,
        reversible: bool = False,
        rule: Rule | None = None,
        deadline: int = DEADLINE,
        method: str = "POST",
        path: str = endpoints.ACT_PATH,
    ) -> Callable[[Callable[[dict[str, Any], Act], Any]], Endpoint]:
        """Guard `handler(parameters, act)` and give an ASGI endpoint for its route.

        `schema` describes the parameters, `sources` where each comes from (`body` where nothing is said, `path`,
        `query` or `form`). `terms(parameters)` states the terms, described by `terms_schema`, and also runs for
        callers who are not known; `terms_hold(parameters, terms)` tells whether terms stated earlier still stand. Where
        either has one more argument annotated `Asker`, the terms are told to the agent of a linked person alone.
        `display` gives labels, or labels with formats. `deadline` is in seconds. An action without a route of its own
        runs by its name at `/oneact/act` alone. The handler gives JSON, octets, an `Answer`, or
        `(status, headers, body)`.
        """
        action = actions.describe(
            name,
            intent=intent,
            summary=summary,
            schema=schema,
            terms=_terms_schema(name, terms, terms_schema),
            sources=sources or {},
            display=display,
            reversible=reversible,
            rule=rule or Rule(),
            method=method,
            path=path,
        )

        def decorate(handler: Callable[[dict[str, Any], Act], Any]) -> Endpoint:
            async def run(parameters: dict[str, Any], act: Act) -> Answer:
                return answer_of(await handled(self.threads, functools.partial(handler, parameters, act)))

            personal = any(asker_argument(function) for function in (terms, terms_hold))
            quote = None if terms is None else _asynchronous(terms, personal=personal)
            holds = None if terms_hold is None else _asynchronous(terms_hold, personal=personal)
            blocking = not inspect.iscoroutinefunction(handler)
            self.register(Guarded(action, by_schema(action.schema), run, quote, holds, deadline, blocking, personal))
            return Endpoint(self, name)

        return decorate

    def asgi_read(
        self, name: str, *, intent: str, path: str
    ) -> Callable[[Callable[[Request, Reading], Any]], ReadEndpoint]:
        """Guard `handler(request, reading)` of a read and give an ASGI endpoint for its route, a GET.

        `intent` is one line for the person, `path` where the route stands. The handler changes nothing, and gives what
        the handler of an action may give. Raises ValueError for a name that is taken, or what cannot be published.
        """
        if name in self.reads:
            raise ValueError(f"two reads are named {name}")
        self.reads[name] = readers.describe(name, intent, path)
        return lambda handler: ReadEndpoint(self, name, handler)

    async def _unlink(self, parameters: dict[str, Any], act: Act) -> Answer:
        if not await self.store.unlink(act.account, parameters["issuer"], self.now()):
            return exchange.of_json({"error": "not_linked"}, 404)
        await self.tell(act.account, "unlinked")
        return exchange.of_json({"unlinked": parameters["issuer"]})


class App:
    """The service's own addresses as an ASGI app, which follows the server's lifespan where it is run alone."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live one lifespan."""
        if scope["type"] == "lifespan":
            await _follow_lifespan(self._guard, receive, send)
        elif scope["type"] == "http":
            await respond(scope, receive, send, lambda request: endpoints.answer(self._guard, request))


class Endpoint:
    """The ASGI endpoint of one guarded action; a router gives it the path's values in `scope["path_params"]`."""

    def __init__(self, guard: Guard, name: str) -> None:
        self._guard = guard
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request to the action's own route."""
        path = {name: str(value) for name, value in scope.get("path_params", {}).items()}

        async def answer(request: Request) -> Answer:
            action = self._guard.actions[self._name]
            if request.method != action.action.method:
                return exchange.of_other_method(request, [action.action.method])
            given = reading.typed(action, reading.given(action, request, path))
            return await self._guard.perform(action, given, request)

        await respond(scope, receive, send, answer)


class ReadEndpoint:
    """The ASGI endpoint of one read."""

    def __init__(self, guard: Guard, name: str, handler: Callable[[Request, Reading], Any]) -> None:
        self._guard, self._name, self._handler = guard, name, handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request to the read's own route."""

        async def answer(request: Request) -> Answer:
            if request.method != "GET":
                return exchange.of_other_method(request, ["GET"])
            found = await readers.reading_of(self._guard, self._name, request)
            return answer_of(await called(self._handler, request, found))

        await respond(scope, receive, send, answer)


async def respond(scope: Scope, receive: Receive, send: Send, answer: Callable[[Request], Awaitable[Answer]]) -> None:
    """Read one request, have it answered, send the answer."""
    try:
        found = await answer(await read(scope, receive))
    except Refusal as refusal:
        found = exchange.refused(refusal, scope["method"], head(scope).path)
    named = [("content-type", found.content_type)] if found.body else []
    headers = [*named, ("content-length", str(len(found.body))), *found.headers]
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": found.status, "headers": encoded})
    await send({"type": "http.response.body", "body": found.body})


async def read(scope: Scope, receive: Receive) -> Request:
    """Read a whole request; refuses `request_too_large` over 256 KiB."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Refusal(Reason.REQUEST_MALFORMED, "the caller went away")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > canonical.MAX_OCTETS:
            raise Refusal(Reason.REQUEST_TOO_LARGE, f"{len(body)} octets")
    request = head(scope)
    return replace(request, body=bytes(body), native=request)


def head(scope: Scope) -> Request:
    """Give what stands in an ASGI scope, without a body; the path without the prefix under which an app is mounted."""
    raw = scope.get("raw_path") or scope["path"].encode()
    path = raw.partition(b"?")[0].decode("latin-1").removeprefix(scope.get("root_path", ""))
    return Request(
        method=scope["method"],
        path=path,
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]),
        body=b"",
        client=(scope.get("client") or ("", 0))[0],
        scope=scope,
    )


async def called(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - the owner's own
    """Call the owner's function, in a thread where it is not asynchronous."""
    if inspect.iscoroutinefunction(function):
        return await function(*arguments, **named)
    found = await asyncio.to_thread(function, *arguments, **named)
    return await found if inspect.isawaitable(found) else found


async def handled(threads: Threads, handler: Callable[[], Any]) -> Any:  # noqa: ANN401 - the owner's own
    """Call the owner's handler with its arguments, in one of the guard's threads where it is not asynchronous."""
    if inspect.iscoroutinefunction(handler):
        return await handler()
    found = await threads.run(handler)
    return await found if inspect.isawaitable(found) else found


def answer_of(result: Any) -> Answer:  # noqa: ANN401 - whatever a handler gives
    """Make an answer of what a handler gives: an `Answer`, octets, `(status, headers, body)`, or JSON."""
    if isinstance(result, Answer):
        return result
    if isinstance(result, tuple):
        status, headers, body = result
        named = {name.lower(): value for name, value in dict(headers).items()}
        made = answer_of(body)
        kind = named.pop("content-type", made.content_type)
        return Answer(status, made.body, kind, tuple(named.items()))
    if result is None:
        return Answer(204)
    if isinstance(result, bytes):
        return Answer(200, result, "application/octet-stream")
    return Answer(200, json.dumps(result, ensure_ascii=False, allow_nan=False).encode())


def _asynchronous(function: Callable[..., Any], *, personal: bool) -> Callable[..., Awaitable[Any]]:
    """Give the owner's function as the guard calls it: with who asks as the last argument where terms are personal."""
    name = asker_argument(function)
    if not personal:
        return lambda *arguments: called(function, *arguments)
    return lambda *arguments: called(function, *arguments[:-1], **({name: arguments[-1]} if name else {}))


def _terms_schema(
    name: str, terms: Callable[..., Any] | None, schema: Mapping[str, Json] | None
) -> Mapping[str, Json] | None:
    if (terms is None) != (schema is None):
        raise ValueError(f"action {name}: terms= and terms_schema= come together")
    return schema


async def _follow_lifespan(guard: GuardCore, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await guard.start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await guard.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
