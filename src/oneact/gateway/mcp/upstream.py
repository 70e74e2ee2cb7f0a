"""The server behind the proxy, for one client: started when it is needed, and again after it has ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from oneact.gateway.mcp.messages import (
    ENDED,
    Link,
    Lost,
    Message,
    Send,
    Unsent,
    failure,
    is_request,
    is_response,
    key,
    notification,
    params_of,
    request,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Connect = Callable[[], Awaitable[Link]]

HANDSHAKE: Final = 60.0  # seconds for a server to answer `initialize` once it was started again
TAKES: Final = 30.0  # seconds in which a server has to take a message; its client is not heard meanwhile
STARTS: Final = 5
WITHIN: Final = 60.0  # seconds in which so many starts are the most
_LOG: Final = logging.getLogger("oneact.gateway")


class Upstream:
    """One server; `connect` starts it or reaches it, `deliver` is given what it sends, but for answers to the proxy.

    It answers only what it was asked: an answer to anything else is dropped.
    """

    def __init__(self, connect: Connect, deliver: Send) -> None:
        self._connect, self._deliver = connect, deliver
        self._link: Link | None = None
        self._reading: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._prefix = f"oneact-{secrets.token_hex(8)}-"
        self._count = 0
        self._own: dict[str, asyncio.Future[Message]] = {}
        self._passed: dict[str, object] = {}
        self._hello: Message | None = None
        self._greeted = False
        self._starts: deque[float] = deque(maxlen=STARTS)
        self._closed = False
        self.generation = 0  # how often it was started

    async def start(self) -> int:
        """See that it runs, and give which start of it that is; raises `Lost` where it cannot be reached."""
        await self._open(None)
        return self.generation

    async def pass_on(self, message: Message, generation: int | None = None) -> None:
        """Send what the client sent, to that start of the server alone if it is given.

        Raises `Lost` where it cannot be reached.
        """
        link = await self._open(message)
        self._check(generation)
        if is_request(message):
            self._passed[key(message["id"])] = message["id"]
        await self._send(link, message)

    async def ask(self, method: str, params: Message, seconds: float, generation: int | None = None) -> Message:
        """Send a request of the proxy's own, to that start of the server alone if it is given, and give the answer.

        Raises `Unsent` where the server cannot be reached, `Lost` where it ends first, TimeoutError after so many
        seconds; it is told that nobody waits any more.
        """
        try:
            link = await self._open(None)
            self._check(generation)
        except Lost as lost:
            raise Unsent(str(lost)) from lost
        return await self._ask(link, method, params, seconds)

    async def close(self) -> None:
        """End it; nothing is started again."""
        self._closed = True
        await self._drop("the proxy ends")

    def has(self, identifier: object) -> bool:
        """Tell whether the server has been passed a request and has not answered it yet."""
        return key(identifier) in self._passed

    def forget(self, identifier: object) -> None:
        """Wait for no answer to a request that was passed on and then cancelled."""
        self._passed.pop(key(identifier), None)

    async def _ask(self, link: Link, method: str, params: Message, seconds: float) -> Message:
        self._count += 1
        identifier = f"{self._prefix}{self._count}"
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._own[identifier] = answer
        try:
            await self._send(link, request(identifier, method, params))
            return await asyncio.wait_for(answer, seconds)
        except (TimeoutError, asyncio.CancelledError):
            with contextlib.suppress(Lost):
                await self._send(link, notification("notifications/cancelled", {"requestId": identifier}))
            raise
        finally:
            self._own.pop(identifier, None)
            if answer.done() and not answer.cancelled():
                answer.exception()  # where sending has failed, it has been told already

    async def _open(self, first: Message | None) -> Link:
        """Give the connection; where it was lost, a new one that has been greeted as the client greeted the first."""
        async with self._opening:
            link = self._link
            if link is None:
                self._may_start()
                link = self._link = await self._connect()
                self.generation += 1
                self._reading = asyncio.get_running_loop().create_task(self._read(link))
                if self._greeted and self._hello is not None and not _greets(first):
                    await self._greet(link, self._hello)
            if first is not None and _greets(first):
                self._hello = params_of(first)
            elif first is not None and first.get("method") == "notifications/initialized":
                self._greeted = True
            return link

    async def _greet(self, link: Link, hello: Message) -> None:
        try:
            answer = await self._ask(link, "initialize", hello, HANDSHAKE)
        except TimeoutError as error:
            await self._drop("it does not answer")
            raise Lost("the server was started again and does not answer") from error
        if "result" not in answer:
            await self._drop("it refuses")
            raise Lost("the server was started again and refuses to be initialized")
        await self._send(link, notification("notifications/initialized"))

    def _check(self, generation: int | None) -> None:
        if generation is not None and generation != self.generation:
            raise Lost("it was started again meanwhile")

    def _may_start(self) -> None:
        if self._closed:
            raise Lost("the proxy ends")
        now = time.monotonic()
        if len(self._starts) == STARTS and now - self._starts[0] < WITHIN:
            raise Lost(f"the server ended {STARTS} times within a minute and is not started again so soon")
        self._starts.append(now)

    async def _send(self, link: Link, message: Message) -> None:
        try:
            await asyncio.wait_for(link.send(message), TAKES)
        except (Lost, TimeoutError) as error:
            lost = error if isinstance(error, Lost) else Lost("it takes no messages")
            await self._ended(link, lost)
            raise lost from error

    async def _read(self, link: Link) -> None:
        try:
            while True:
                await self._take(link, await link.receive())
        except Lost as lost:
            await self._ended(link, lost)
        except Exception as error:  # noqa: BLE001 - whatever it was, those who wait have to be told
            _LOG.exception("the server's messages could not be read")
            await self._ended(link, Lost(f"reading from it failed: {error}"))

    async def _take(self, link: Link, message: Message) -> None:
        if not is_response(message):
            await self._deliver(message)
            return
        identifier = message.get("id")
        own = self._own.get(identifier) if isinstance(identifier, str) else None
        if own is not None:
            if own.done():
                return
            if link.is_lost(message):
                own.set_exception(Lost("its answer was lost"))
            else:
                own.set_result(message)
        elif self._passed.pop(key(identifier), None) is not None:
            await self._deliver(message)

    async def _ended(self, link: Link, lost: Lost) -> None:
        """Answer whatever waits for this connection; the next message starts another one."""
        if self._link is not link:
            return
        self._link = None
        for answer in self._own.values():
            if not answer.done():
                answer.set_exception(Lost(str(lost)))
        passed, self._passed = self._passed, {}
        if not self._closed:
            _LOG.warning("the server is gone: %s", lost)
        for identifier in passed.values():
            text = f"The server behind the proxy is gone ({lost}). It is not known whether it did what it was asked."
            await self._deliver(failure(identifier, ENDED, text))
        await link.close()

    async def _drop(self, why: str) -> None:
        if self._link is not None:
            await self._ended(self._link, Lost(why))
        if self._reading is not None and self._reading is not asyncio.current_task():
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        self._reading = None


def _greets(message: Message | None) -> bool:
    return message is not None and message.get("method") == "initialize"
