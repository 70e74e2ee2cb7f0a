"""What stands around every answer: where the application was mounted, and the headers that no answer goes without."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders

from oneact.protocol.metadata import SERVER_PATH
from oneact.server import http

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Around:
    """An ASGI application around the server's own; `path` is that of the public URL, empty or after a slash."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_headers(MutableHeaders(scope=message))
            await send(message)

        await self._app(placed(scope, self._path), receive, headed)


def add_headers(headers: MutableHeaders) -> None:
    """Add to an answer's headers those that it lacks; what no one says otherwise of, no cache keeps."""
    if "Cache-Control" not in headers:
        headers.update(http.NO_STORE)
    for name, value in http.HEADERS.items():
        headers.setdefault(name, value)


def placed(scope: Scope, path: str) -> Scope:
    """Give the scope as it would be at the root of the host, where the address asked for is one under `path`.

    The routes hold the path of the public URL, so a prefix under which the application is mounted stands in their way
    where it is that path itself; and it is decoded there, as the routes do not have it. Frames differ in whether
    `path` still has the prefix that `root_path` names.
    """
    root, asked = scope.get("root_path", ""), scope["path"]
    whole = asked if asked == root or asked.startswith(root + "/") else root + asked
    for own in (path, SERVER_PATH + path) if path else ():
        decoded = unquote(own)
        if whole == decoded or (own == path and whole.startswith(decoded + "/")):
            return {**scope, "root_path": "", "app_root_path": "", "path": own + whole.removeprefix(decoded)}
    return scope
