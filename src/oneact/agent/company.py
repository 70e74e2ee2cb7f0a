"""Acts that are under way at the same time, asked about together: one page for the person, an item for each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from oneact.agent import flow
from oneact.agent.errors import Refused, as_refused
from oneact.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from oneact.agent.client import Shell
    from oneact.protocol.metadata import ServiceMetadata

# What says as much of every item. Anything else may be one item's own: the others are then asked about without it.
_OF_ALL: Final = flow.LINK_HELPS | {
    reason.value for reason in (Reason.HINT_UNKNOWN, Reason.CLIENT_UNKNOWN, Reason.RATE_LIMITED)
}
_SERVER_ERROR: Final = 500


class _Ready(NamedTuple):
    described: ServiceMetadata
    act: flow.Offered
    asked: asyncio.Future[flow.Asked]


class Company:
    """Asks about acts as soon as each that is coming has its offer or has failed, and none came for `window` seconds.

    A page holds acts of one service, at most twenty.
    """

    def __init__(self, shell: Shell, window: float = 0.0) -> None:
        self._shell = shell
        self._window = window
        self._coming = 0
        self._open = False
        self._ready: list[_Ready] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def coming(self) -> Coming:
        """Say that an act is under way: the others wait until it has its offer, or its block is left."""
        self._coming += 1
        if self._window and not self._open:
            self._open = True
            self._start(self._close())
        return Coming(self)

    def arrived(self, ready: _Ready | None) -> None:
        """Take one that was coming, with its offer or without."""
        self._coming -= 1
        if ready is not None:
            self._ready.append(ready)
        self._ask_if_all_are_here()

    async def _close(self) -> None:
        await asyncio.sleep(self._window)
        self._open = False
        self._ask_if_all_are_here()

    def _ask_if_all_are_here(self) -> None:
        if self._coming or self._open:
            return
        standing = [each for each in self._ready if not each.asked.cancelled()]
        self._ready.clear()
        for resource in dict.fromkeys(each.described.resource for each in standing):
            alike = [each for each in standing if each.described.resource == resource]
            for first in range(0, len(alike), flow.LARGEST):
                self._start(self._ask(alike[first : first + flow.LARGEST]))

    async def _ask(self, ready: Sequence[_Ready]) -> None:
        try:
            with as_refused():
                asking = flow.asked_together([each.act for each in ready])
                found = await self._shell.run(flow.linkable(ready[0].described, asking))
        except Exception as error:  # noqa: BLE001 - each that waits is told, whatever it is
            if len(ready) > 1 and _is_of_one(error):
                await asyncio.gather(*(self._ask([each]) for each in ready))
                return
            for each in ready:
                if not each.asked.done():
                    each.asked.set_exception(error)
            return
        for each, asked in zip(ready, found, strict=True):
            if not each.asked.done():
                each.asked.set_result(asked)

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)  # of its own: no caller that is cancelled takes the others with it
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Coming:
    """One act on its way to the question; its block is left when it is given up."""

    def __init__(self, company: Company) -> None:
        self._company: Company | None = company

    def __enter__(self) -> Self:
        """Be waited for."""
        return self

    def __exit__(self, *_: object) -> None:
        """Be waited for no longer."""
        self.arrive()

    def arrive(self, ready: _Ready | None = None) -> None:
        """Let the others wait for it no longer."""
        company, self._company = self._company, None
        if company is not None:
            company.arrived(ready)

    async def ask(self, described: ServiceMetadata, act: flow.Offered) -> flow.Asked:
        """Ask about the act together with the others, and give its own request; raises what it is refused with."""
        asked: asyncio.Future[flow.Asked] = asyncio.get_running_loop().create_future()
        self.arrive(_Ready(described, act, asked))
        return await asked


def _is_of_one(error: Exception) -> bool:
    return isinstance(error, Refused) and error.status < _SERVER_ERROR and error.reason not in _OF_ALL
