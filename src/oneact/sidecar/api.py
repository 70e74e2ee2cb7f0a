"""The sidecar's private API: seven addresses that take strict JSON from the service, and from nobody else."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.service import asgi, exchange
from oneact.sidecar import calls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oneact.protocol.canonical import Json
    from oneact.service.asgi import Receive, Scope, Send
    from oneact.service.exchange import Answer, Request
    from oneact.sidecar.listening import Door
    from oneact.sidecar.verifier import Verifier

    _Call = Callable[[Verifier, Json], Awaitable[dict[str, Json]]]

# What a browser says of each of its requests. Not Sec-Fetch-Mode, which Node's own fetch sends, and that alone.
_OF_BROWSERS: Final = frozenset({"sec-fetch-site", "sec-fetch-dest", "sec-fetch-user", "origin"})
_CALLS: Final[dict[str, _Call]] = {
    "/offer": lambda verifier, value: verifier.offer(calls.asked(value)),
    "/verify": lambda verifier, value: verifier.verify(calls.asked(value)),
    "/read": lambda verifier, value: verifier.read(calls.read(value)),
    "/receipt": lambda verifier, value: verifier.receipt(calls.ended(value)),
    "/page": lambda verifier, value: verifier.page(calls.page(value)),
    "/settle": lambda verifier, value: verifier.settled(calls.settled(value)),
    "/unlink": lambda verifier, value: verifier.unlinked(calls.unlinked(value)),
}


class Api:
    """The private API as an ASGI app, for whoever comes by `door`."""

    def __init__(self, verifier: Verifier, door: Door) -> None:
        self._verifier, self._door = verifier, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, or live one lifespan."""
        if scope["type"] == "lifespan":
            await self._verifier.app(scope, receive, send)
        elif scope["type"] == "http":
            await asgi.respond(scope, receive, send, self._answer)

    async def _answer(self, request: Request) -> Answer:
        self._check_caller(request)
        if request.path not in _CALLS:
            raise Refusal(Reason.ADDRESS_UNKNOWN, request.path)
        if request.method != "POST":
            return exchange.of_other_method(request, ["POST"])
        if request.query:
            raise Refusal(Reason.REQUEST_MALFORMED, "a query")
        return exchange.of_json(await _CALLS[request.path](self._verifier, request.json()))

    def _check_caller(self, request: Request) -> None:
        """Refuse a browser, whichever page and name led it here, and a caller without the secret."""
        if any(name in _OF_BROWSERS for name, _ in request.headers):
            raise Refusal(Reason.CSRF, "a browser")
        if self._door.hosts is not None and request.value("host") not in self._door.hosts:
            raise Refusal(Reason.CSRF, f"Host is {request.values('host')}, not one of {sorted(self._door.hosts)}")
        if self._door.secret is None:
            return
        scheme, _, given = (request.value("authorization") or "").partition(" ")
        same = hmac.compare_digest(given.encode(), self._door.secret.encode())
        if scheme.lower() != "bearer" or not same:
            raise Refusal(Reason.CLIENT_UNKNOWN, "not the secret of the secret file")
