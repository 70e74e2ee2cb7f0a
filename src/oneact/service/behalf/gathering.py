"""What one program calls at once is asked as one batch, so that its person has one page and one gesture for all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from oneact.service.behalf.asking import Asked, Asking, Ended
    from oneact.service.store.holding import Held

    Key = tuple[str, str, str]
    Waiting = list[tuple[Held, asyncio.Future[Asked | Ended]]]

SECONDS: Final = 0.15  # for which a call waits for others that come with it
MAX_BATCH: Final = 20


class Gathering:
    """Gathers, for `seconds`, what the same session asks of the same person."""

    def __init__(self, asking: Asking, seconds: float = SECONDS) -> None:
        self.asking, self._seconds = asking, seconds
        self._waiting: dict[Key, Waiting] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, held: Held) -> Asked | Ended:
        """Ask for a held call, with what others come meanwhile; gives and refuses as `Asking.ask` does."""
        key = held.question.iss, held.question.sub, held.session
        waiting = self._waiting.get(key)
        if waiting is None or len(waiting) >= MAX_BATCH:
            waiting = self._waiting[key] = []
            task = asyncio.get_running_loop().create_task(self._send(key, waiting))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        answer: asyncio.Future[Asked | Ended] = asyncio.get_running_loop().create_future()
        waiting.append((held, answer))
        return await answer

    async def _send(self, key: Key, waiting: Waiting) -> None:
        await asyncio.sleep(self._seconds)
        if self._waiting.get(key) is waiting:
            del self._waiting[key]
        gathered = [(held, answer) for held, answer in waiting if not answer.done()]
        ends = await asyncio.gather(self.asking.ask_all([held for held, _ in gathered]), return_exceptions=True)
        found = ends[0] if isinstance(ends[0], list) else [ends[0]] * len(gathered)
        for (_, answer), end in zip(gathered, found, strict=True):
            if answer.done():
                continue
            if isinstance(end, BaseException):
                answer.set_exception(end)
            else:
                answer.set_result(end)
