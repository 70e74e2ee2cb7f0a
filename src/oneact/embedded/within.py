"""Addresses of this very process, answered without a connection: a service with one thread could not call itself."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oneact.fetch import Fetched, Fetcher
from oneact.protocol import metadata
from oneact.service.exchange import Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from oneact.service.exchange import Answer

_SECONDS = 5.0


class Within(Fetcher):
    """Fetches as `others` does, but for what lies at the service's own addresses: of that, `asked` has the answers.

    `own` is the service's identifier. What `asked` does not answer goes out like anything else.
    """

    def __init__(self, others: Fetcher, own: str, asked: Callable[[Request], Awaitable[Answer | None]]) -> None:
        self.excepted = others.excepted
        self._others, self._own, self._asked = others, own, asked

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        seconds: float = _SECONDS,
    ) -> Fetched:
        """Make one request; refuses as `Fetcher.request` does."""
        if metadata.origin(url) == metadata.origin(self._own):
            answer = await self._asked(self._as_received(method, url, headers or {}, body or b""))
            if answer is not None:
                named = {name.lower(): value for name, value in answer.headers}
                return Fetched(answer.status, {**named, "content-type": answer.content_type}, answer.body)
        return await self._others.request(method, url, headers=headers, body=body, seconds=seconds)

    def _as_received(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Request:
        parts = urlsplit(url)
        path = parts.path if parts.path.startswith("/.well-known/") else parts.path.removeprefix(self._path())
        named = tuple((name.lower(), value) for name, value in headers.items())
        return Request(method, path or "/", parts.query, named, body, client="")

    def _path(self) -> str:
        return urlsplit(self._own).path
