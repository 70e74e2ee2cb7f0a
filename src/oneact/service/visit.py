"""One request in a thread of its own: the guard decides in its loop, and what is the owner's runs in that thread.

A framework keeps its connections, sessions and context by thread. So the thread of the request hands the guard's work
to the loop and then serves it: whenever the work needs a function of the owner's, the thread runs it.
"""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_T = TypeVar("_T")


class Visit:
    """The request whose thread made it: that thread calls `serve`, the loop `call`."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._over = False

    def serve(self, submit: Callable[[Coroutine[Any, Any, _T]], Future[_T]], work: Coroutine[Any, Any, _T]) -> _T:
        """Have `work` done in the loop, run here whatever it calls, and give what it gives.

        `submit` hands it to the loop. The work sees none of the thread's context variables, so that nothing of one
        request lives on in the loop.
        """
        context = contextvars.Context()
        context.run(_CURRENT.set, self)
        done = context.run(submit, work)
        done.add_done_callback(lambda _: self._calls.put(None))
        try:
            while (call := self._calls.get()) is not None:
                call.run()
        finally:
            self._leave()
        return done.result()

    async def call(self, function: Callable[[], Any]) -> Any:  # noqa: ANN401 - the owner's own
        """Have the request's thread run a function and give what it returns; another one where that has left."""
        call = _Call(function)
        with self._lock:
            is_served = not self._over
            if is_served:
                self._calls.put(call)
        return await (asyncio.wrap_future(call.outcome) if is_served else asyncio.to_thread(function))

    def _leave(self) -> None:
        """Take no more calls; those that nobody has begun are never run."""
        with self._lock:
            self._over = True
        while not self._calls.empty():
            call = self._calls.get()
            if call is not None and call.outcome.set_running_or_notify_cancel():
                call.outcome.set_exception(RuntimeError("the request's thread has left"))


class _Call:
    """One call that waits for the request's thread."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self.outcome: Future[Any] = Future()

    def run(self) -> None:
        """Run it and hand over what it returns or raises; what is to end the thread ends it too."""
        if not self.outcome.set_running_or_notify_cancel():
            return
        try:
            result = self._function()
        except StopIteration as error:  # no future takes one
            self.outcome.set_exception(RuntimeError(f"raised {error!r}"))
        except Exception as error:  # noqa: BLE001 - whatever it is, the loop has to know
            self.outcome.set_exception(error)
        except BaseException as error:
            self.outcome.set_exception(RuntimeError(f"the thread was ended by {error!r}"))
            raise
        else:
            self.outcome.set_result(result)


_CURRENT: Final[contextvars.ContextVar[Visit | None]] = contextvars.ContextVar("oneact-visit", default=None)


def current() -> Visit | None:
    """Give the request for which the loop works at the moment; None for work that no request has asked for."""
    return _CURRENT.get()
