"""The loop in which a guard works beside the threads of its application: one daemon thread in each process."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
import weakref
from concurrent.futures import Future
from concurrent.futures import thread as executors
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

_AT_EXIT: Final = 10.0  # seconds that the end of the interpreter waits for acts under way
_LOG: Final = logging.getLogger("oneact.service")

_T = TypeVar("_T")


class _Running(NamedTuple):
    """A loop that runs: in which process, and how it is told to stop."""

    process: int
    loop: asyncio.AbstractEventLoop
    stopping: asyncio.Event
    thread: threading.Thread


class Background:
    """Begins at its first use, and once more in a process that was forked off after it.

    `begin` and `end` are called within the loop.
    """

    def __init__(self, begin: Callable[[], Awaitable[None]], end: Callable[[], Awaitable[None]]) -> None:
        self._begin, self._end = begin, end
        self._running: _Running | None = None
        _ALL.add(self)

    def submit(self, work: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Have something done in the loop."""
        with _lock.held:
            if self._running is None or self._running.process != os.getpid() or not self._running.thread.is_alive():
                self._running = self._start()
            return asyncio.run_coroutine_threadsafe(work, self._running.loop)

    def stop(self, seconds: float | None = None) -> None:
        """Finish what is under way and end the thread, waiting for it at most so long; it begins again when needed."""
        with _lock.held:
            running, self._running = self._running, None
            if running is None or running.process != os.getpid() or not running.thread.is_alive():
                return
            running.loop.call_soon_threadsafe(running.stopping.set)
        running.thread.join(seconds)

    def _start(self) -> _Running:
        started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        thread = threading.Thread(target=lambda: asyncio.run(self._live(started)), name="oneact-guard", daemon=True)
        thread.start()
        loop, stopping = started.result()
        return _Running(os.getpid(), loop, stopping, thread)

    async def _live(self, started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
        stopping = asyncio.Event()
        started.set_result((asyncio.get_running_loop(), stopping))
        try:
            await self._begin()
        except Exception:  # noqa: BLE001 - whoever asks next is told so, and tries once more
            _LOG.exception("the guard could not start")
        await stopping.wait()
        await self._end()


class _Lock:
    """A lock that a forked process never finds held by a thread it has not."""

    def __init__(self) -> None:
        self.renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        """Begin with a lock that nobody holds."""
        self.held = threading.Lock()


_lock: Final = _Lock()
_ALL: Final[weakref.WeakSet[Background]] = weakref.WeakSet()


def _stop_all() -> None:
    for background in list(_ALL):
        background.stop(_AT_EXIT)


assert executors  # its own end is registered by now: the last one registered comes first
# An `atexit` function comes when executors have closed already, and no outcome could be kept any more.
getattr(threading, "_register_atexit", atexit.register)(_stop_all)
