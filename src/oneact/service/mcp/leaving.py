"""The end of a server over stdio: its one program goes with it, so what its person has not decided is withdrawn."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Final

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from oneact.service.mcp.guard import Guard

SECONDS: Final = 1.0  # clients kill a server two seconds after they have closed its input
_SURE: Final = 0.5


@contextlib.asynccontextmanager
async def withdrawing(guard: Guard) -> AsyncIterator[None]:
    """Withdraw what waits at the end of the block, or before SIGTERM does what it does; each within `SECONDS`.

    Where the program takes that signal itself, how it ends is left to it.
    """
    ending = _Ending(guard)
    try:
        with ending:
            yield
    finally:
        await _withdraw(guard)


async def _withdraw(guard: Guard) -> None:
    with anyio.move_on_after(SECONDS + _SURE, shield=True):
        await guard.waiting.leave(SECONDS)


class _Ending:
    """What SIGTERM does meanwhile: withdraw, then what it does by itself."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._loop = asyncio.get_running_loop()
        self._ending: asyncio.Task[None] | None = None
        self._taken = False

    def __enter__(self) -> None:
        mine = threading.current_thread() is threading.main_thread()
        if not mine or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            return
        with contextlib.suppress(NotImplementedError):  # Windows has no such signal
            self._loop.add_signal_handler(signal.SIGTERM, self._begin)
            self._taken = True

    def __exit__(self, *_: object) -> None:
        if self._taken and self._ending is None:
            self._loop.remove_signal_handler(signal.SIGTERM)

    def _begin(self) -> None:
        if self._ending is None:
            self._ending = self._loop.create_task(self._end())

    async def _end(self) -> None:
        try:
            await _withdraw(self._guard)
        finally:
            self._loop.remove_signal_handler(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
