"""One held call as it is followed: asked for, polled, and executed when its person has approved it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.service.behalf import presenting
from oneact.service.behalf.asking import LATER, Ended

if TYPE_CHECKING:
    from oneact.service.behalf.gathering import Gathering
    from oneact.service.exchange import Answer
    from oneact.service.guard import GuardCore
    from oneact.service.store.holding import Held, Holding

GRACE: Final = 60.0  # seconds in which the same call may come again from a program that had given up
_PAUSE: Final = 1.0
_LOG: Final = logging.getLogger("oneact.service")


class Followed:
    """A held call in this process; `held` is what is known of it, `answer` the handler's own once it was executed.

    `waiters` is how many wait for its end at this moment.
    """

    def __init__(self, guard: GuardCore, store: Holding, gathering: Gathering, held: Held) -> None:
        self.held = held
        self.answer: Answer | None = None
        self.waiters = 0
        self._guard, self._store, self._gathering = guard, store, gathering
        self._asking = gathering.asking
        self._task: asyncio.Task[None] | None = None
        self._attached = asyncio.Event()
        self._until: float | None = None  # when it is withdrawn, where nobody waits for it
        self._polling: asyncio.Task[str | Ended | None] | None = None

    async def attach(self) -> None:
        """Wait for it, also where it had been given up; asks for it where that has not been done."""
        self._until = None
        try:
            if self.held.state == "held" and not self.held.asked:
                await self._ask()
            if self.held.state == "held" and self._task is None:
                self._task = asyncio.get_running_loop().create_task(self._follow())
        finally:
            self._attached.set()

    async def ended(self, seconds: float) -> None:
        """Wait for its end, so many seconds at most."""
        if self._task is None:
            return
        self.waiters += 1
        try:
            await asyncio.wait({self._task}, timeout=seconds)
        finally:
            self.waiters -= 1

    async def left(self, seconds: float) -> None:
        """Wait until it is withdrawn, so many seconds at most, also where it is just being asked for."""
        until = time.monotonic() + seconds
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._attached.wait(), seconds)
        await self.ended(max(0.0, until - time.monotonic()))

    async def over(self) -> bool:
        """Wait for its end, however long that takes; False where it is followed no longer."""
        if self._task is not None:
            await asyncio.wait({self._task})
        return self.held.state != "held"

    def give_up(self, grace: float = GRACE) -> None:
        """Execute it no more, and withdraw it unless somebody waits for it again within `grace` seconds.

        Given up twice, it is withdrawn at the earlier moment.
        """
        until = time.monotonic() + grace
        self._until = until if self._until is None else min(until, self._until)
        if self._polling is not None:
            self._polling.cancel()

    async def stop(self) -> None:
        """Follow it no longer; it stays held."""
        tasks = [task for task in (self._task, self._polling) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self) -> None:
        try:
            while self.held.state == "held":
                await self._step()
        except Exception:  # noqa: BLE001 - whatever it was, nobody else would end it
            _LOG.exception("a held call could not be followed to its end")
            await self._end(Ended("refused", Reason.INTERNAL.value))

    async def _step(self) -> None:
        if self._guard.now() >= self.held.expires:
            await self._end(Ended("expired", ""))
        elif self._until is not None and time.monotonic() >= self._until:
            await self._withdraw()
        elif self._until is not None:
            await asyncio.sleep(min(_PAUSE, max(0.0, self._until - time.monotonic())))
        elif not self.held.asked:
            await asyncio.sleep(_PAUSE)
            await self._ask()
        else:
            await self._poll()

    async def _ask(self) -> None:
        """Ask; where the approval server cannot be reached it is tried again while the call is held."""
        try:
            found = await self._gathering.ask(self.held)
        except Refusal as refusal:
            if refusal.reason not in LATER:
                raise
            return
        if isinstance(found, Ended):
            await self._end(found)
            return
        await self._store.asked(self.held.id, found.request, found.page)
        self.held = replace(self.held, asked=found.request, page=found.page)

    async def _poll(self) -> None:
        self._polling = asyncio.create_task(self._asking.poll(self.held))
        await asyncio.wait({self._polling})
        polled, self._polling = self._polling, None
        if polled.cancelled():
            return
        try:
            found = polled.result()
        except Refusal as refusal:
            if refusal.reason not in LATER:
                raise
            await asyncio.sleep(_PAUSE)
            return
        if isinstance(found, str):
            await self._execute(found)
        elif found is not None:
            spent = await self._guard.execution.find(presenting.key_of(self._guard, self.held))
            await self._end(found if spent is None else Ended("done", ""))

    async def _execute(self, token: str) -> None:
        """Have it executed, unless its program gave up while this poll was under way: a token is not used by itself."""
        if self._until is not None:
            return
        end, self.answer = await presenting.present(self._guard, self.held, token)
        if end is None:  # another process executes it
            await asyncio.sleep(_PAUSE)
        else:
            await self._end(end)

    async def _withdraw(self) -> None:
        if self.held.asked:
            with contextlib.suppress(Refusal):
                await self._asking.cancel(self.held)
        await self._end(Ended("expired", ""))

    async def _end(self, end: Ended) -> None:
        await self._store.end_held(self.held, end.state, end.said)
        self.held = replace(self.held, state=end.state, said=end.said)
