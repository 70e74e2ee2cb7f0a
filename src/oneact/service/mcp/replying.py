"""The HTTP answer to a call that brought a token in header fields: it waits until the guard has decided.

A check that fails is then the answer itself: its status, its challenge, its body. What the server has begun to send
meanwhile, such as the head of a stream of events, is held back, and dropped. Once a tool has been reached nothing can
be taken back any more: whatever is refused after that is a result in the server's own answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from oneact.protocol.metadata import ALGORITHMS
from oneact.service import asgi

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from oneact.service.asgi import Send
    from oneact.service.exchange import Answer, Request

_KEY: Final = "oneact.reply"
_CHALLENGE: Final = "WWW-Authenticate"


class Reply:
    """One answer of a server, which is sent to `send`; `metadata` is the address at which an agent begins."""

    def __init__(self, send: Send, metadata: str) -> None:
        self._send, self._metadata = send, metadata
        self._held: list[MutableMapping[str, Any]] = []
        self._open = False
        self._refusal: Answer | None = None
        self._one = asyncio.Lock()  # the server sends in one task, the guard decides in another

    def within(self, scope: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Give the scope in which the guard finds this answer."""
        return {**scope, _KEY: self}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Take a message of the server's; at the end of its answer it is sent, or the refusal in its place.

        Not before: the server takes a response that is complete for a client that has gone.
        """
        async with self._one:
            ends = message["type"] == "http.response.body" and not message.get("more_body", False)
            if self._refusal is None:
                self._held.append(message)
                self._open = self._open or ends
                await self._flush()
            elif ends:
                await asgi.write(self._led(self._refusal), self._send)

    async def go_on(self) -> None:
        """Let the server answer: no check has failed, or none was made."""
        async with self._one:
            self._open = self._refusal is None
            await self._flush()

    def refuse(self, answer: Answer) -> None:
        """Have this answer sent in place of the server's, unless that has begun."""
        if not self._open and self._refusal is None:
            self._refusal = answer
            self._held.clear()

    async def _flush(self) -> None:
        while self._open and self._held:
            await self._send(self._held.pop(0))

    def _led(self, answer: Answer) -> Answer:
        """Name in a challenge the metadata (RFC 9728, 5.1) and the algorithms of proofs (RFC 9449, 7.1)."""
        more = f', resource_metadata="{self._metadata}", algs="{" ".join(ALGORITHMS)}"'
        headers = tuple(
            (name, value + more if name == _CHALLENGE and "resource_metadata" not in value else value)
            for name, value in answer.headers
        )
        return replace(answer, headers=headers)


def of(request: Request | None) -> Reply | None:
    """Give the answer that waits for the guard, where a call came by one; it is in no other scope than its own."""
    scope = None if request is None else request.scope
    found = None if scope is None else scope.get(_KEY)
    return found if isinstance(found, Reply) else None
