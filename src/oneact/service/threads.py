"""The threads in which the owner's blocking handlers run, and the places in them, taken before anything is spent."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

COUNT: Final = 32
PATIENCE: Final = 5.0


class Threads:
    """So many threads, and as many places: who has a place has a thread at once, and no handler waits in a queue.

    `count` is how many handlers may block at once, `patience` the seconds for which one more waits for its place.
    """

    def __init__(self, count: int = COUNT, patience: float = PATIENCE) -> None:
        self._count, self._patience = count, patience
        self._pool = ThreadPoolExecutor(count, "oneact-handler")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._free = asyncio.Semaphore(count)

    @contextlib.asynccontextmanager
    async def place(self, seconds: float) -> AsyncIterator[None]:
        """Hold a place, taken after at most `seconds`; refuses `store_unavailable` where none was free."""
        free = self._places()
        try:
            await asyncio.wait_for(free.acquire(), min(seconds, self._patience))
        except TimeoutError as error:
            raise Refusal(Reason.STORE_UNAVAILABLE, f"{self._count} handlers block their threads") from error
        try:
            yield
        finally:
            free.release()

    async def run(self, function: Callable[[], Any]) -> Any:  # noqa: ANN401 - the owner's own
        """Call a function in a thread, with the context variables of the caller."""
        call = functools.partial(contextvars.copy_context().run, function)
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def _places(self) -> asyncio.Semaphore:
        """Give the places of the running loop: a guard may be started again in another one."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._free = loop, asyncio.Semaphore(self._count)
        return self._free
