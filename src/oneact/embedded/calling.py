"""A request of the service's own framework, answered by an ASGI application in the same process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from oneact.service.exchange import Answer

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from urllib.parse import SplitResult

    from starlette.types import ASGIApp

    from oneact.service.approvals import SignedIn
    from oneact.service.exchange import Request

SIGNED_IN: Final = "oneact.signed_in"


async def call(app: ASGIApp, request: Request, url: str, signed_in: SignedIn) -> Answer:
    """Have `app` answer a request as one to `url`, made by whom `signed_in` tells."""
    said: list[MutableMapping[str, Any]] = []
    pending = [{"type": "http.request", "body": request.body, "more_body": False}]

    async def receive() -> MutableMapping[str, Any]:
        if not pending:  # the caller stays until it has been answered
            await asyncio.Event().wait()
        return pending.pop()

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    try:
        await app(_scope(request, urlsplit(url), signed_in), receive, send)
    except Exception:
        if not said:
            raise  # else it has answered that it failed, and logged why
    start, *parts = said
    body = b"".join(part.get("body", b"") for part in parts)
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    left = tuple(pair for pair in headers if pair[0].lower() not in {"content-type", "content-length"})
    return Answer(start["status"], body, kind, left)


def _scope(request: Request, url: SplitResult, signed_in: SignedIn) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": unquote(url.path),
        "raw_path": url.path.encode("latin-1"),
        "query_string": request.query.encode("latin-1"),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers],
        "client": (request.client, 0),
        "server": None,
        "root_path": "",
        SIGNED_IN: signed_in,
    }
