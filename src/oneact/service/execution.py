"""Checks 11 and 12: spend durably, execute once, keep the outcome. A crash at any point never leads to a second run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url
from oneact.service import exchange, receipts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from contextlib import AbstractAsyncContextManager

    from oneact.protocol.canonical import Json
    from oneact.service.exchange import Answer
    from oneact.service.receipts import Receipts
    from oneact.service.store.contract import Holder, Kept, Outcome, Spend, SpendKey, State, Store

GRACE: Final = 2  # seconds past the deadline in which the process that runs the act records its own outcome
_ANY: Final = 2**53  # a second after every deadline
RETRIES: Final = (0.1, 0.5, 2.0, 5.0, 15.0, 60.0)
_LOG: Final = logging.getLogger("oneact.service")

_T = TypeVar("_T")

Place: TypeAlias = "AbstractAsyncContextManager[object]"


class Execution:
    """Runs acts once and answers for those that have run; `now` gives the second."""

    def __init__(self, store: Store, signer: Receipts, now: Callable[[], int]) -> None:
        self._store = store
        self._receipts = signer
        self._now = now
        self._tasks: set[asyncio.Task[object]] = set()

    async def spend_and_run(
        self, spend: Callable[[], Spend], run: Callable[[], Awaitable[Answer]], place: Place
    ) -> Answer:
        """Use up the approval, then run the handler; of two callers one runs it, and the other is told so.

        The handler's place comes first, and `spend` reads the clock after that: its deadline begins when it begins, and
        what cannot begin has spent nothing. The work goes on when the caller goes away: what is spent is executed and
        its outcome kept. Refuses `store_unavailable` where no place is free.
        """
        return await asyncio.shield(self._start(self._spend_and_run(spend, run, place)))

    async def existing(self, found: Spend, holder: Holder) -> Answer:
        """Answer for an approval that has been used: the outcome to its holder, nothing to anyone else."""
        if found.holder != holder:
            raise Refusal(Reason.SPENT_BY_ANOTHER, found.key.txn)
        if found.state == "spent" and self._now() > found.deadline_at + GRACE:
            found = await self._cut_off(found)
        if found.state == "spent":
            return exchange.in_progress()
        members: dict[str, Json] = {"receipt": found.receipt}
        if found.kept is not None:
            members |= {"response": _response(found.kept), "salt": base64url.encode(found.kept.salt)}
        return exchange.of_refusal(Refusal(Reason.ALREADY_SPENT), **members)

    async def recover(self) -> None:
        """Say what became of every act whose process was gone at its deadline."""
        await self._cut_off_all(self._now() - GRACE)

    async def abandon(self) -> None:
        """Say what became of every act that has no outcome, its deadline passed or not.

        For a process that knows to be the only one that executes from this store, before it executes anything itself.
        """
        await self._cut_off_all(_ANY)

    async def _cut_off_all(self, before: int) -> None:
        for spend in await self._store.overdue(before):
            try:
                found = await self._cut_off(spend)
            except Refusal as refusal:
                _LOG.warning("act %s was cut off; its outcome cannot be told yet: %s", spend.key.txn, refusal)
            else:
                _LOG.warning("act %s was cut off; its outcome is %s", spend.key.txn, found.state)

    async def find(self, key: SpendKey) -> Spend | None:
        """Give the spend of this key."""
        return await self._store.find_spend(key)

    async def is_unspent(self, key: SpendKey) -> bool:
        """Tell whether there is no spend of this key."""
        return await self.find(key) is None

    async def forget(self, before: int) -> None:
        """Delete what was finished before that second, and delivered."""
        await self._store.forget_spends(before)

    async def settle(self, key: SpendKey, state: State) -> bool:
        """Record what the owner found out of an act that is `unknown`; False where it is not."""
        found = await self._store.find_spend(key)
        if found is None or found.state != "unknown":
            return False
        return await self._store.finish(key, self._receipts.settled(found, state, self._now()))

    async def drain(self, seconds: float | None = None) -> None:
        """Wait for the acts under way, so many seconds at most."""
        until = None if seconds is None else time.monotonic() + seconds
        while self._tasks:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return
            await asyncio.wait(self._tasks, timeout=left)

    async def _spend_and_run(
        self, make: Callable[[], Spend], run: Callable[[], Awaitable[Answer]], place: Place
    ) -> Answer:
        async with contextlib.AsyncExitStack() as held:
            await held.enter_async_context(place)
            spend = make()
            if not await self._store.spend(spend):
                return await self.existing(await self._again(spend.key), spend.holder)
            handler = self._start(awaited(run, held.pop_all()))
        done, _ = await asyncio.wait({handler}, timeout=spend.deadline_at - spend.spent_at)
        if not done:
            self._start(self._when_late(spend, handler))
            return await self._unknown(spend, "not done at its deadline")
        if handler.exception() is not None:
            _LOG.error("the handler of act %s failed", spend.key.txn, exc_info=handler.exception())
            return await self._unknown(spend, "the handler raised")
        return await self._finished(spend, handler.result())

    async def _cut_off(self, spend: Spend) -> Spend:
        """Say of a spend that has no outcome past its deadline that it is unknown; give what then stands."""
        await self._store.finish(spend.key, self._receipts.unknown(spend, self._now()))
        return await self._again(spend.key)

    async def _finished(self, spend: Spend, answer: Answer) -> Answer:
        outcome = self._receipts.of_answer(spend, answer, self._now())
        await self._record(spend.key, outcome)
        return answer.with_headers(*receipts.headers(outcome))

    async def _unknown(self, spend: Spend, why: str) -> Answer:
        """Say that nobody knows: the handler may have done its work before it was lost."""
        outcome = self._receipts.unknown(spend, self._now())
        await self._record(spend.key, outcome)
        refusal = Refusal(Reason.ALREADY_SPENT, why)
        return exchange.of_refusal(refusal, receipt=outcome.receipt)

    async def _when_late(self, spend: Spend, handler: asyncio.Task[Answer]) -> None:
        """Let the one later outcome stand in place of `unknown`."""
        await asyncio.wait({handler})
        if not handler.cancelled() and handler.exception() is None:
            await self._finished(spend, handler.result())

    async def _record(self, key: SpendKey, outcome: Outcome) -> None:
        """Keep the outcome; where the store fails after the act has run, the answer goes out and this goes on."""
        try:
            await self._store.finish(key, outcome)
        except Refusal:
            _LOG.exception("the outcome of act %s is not kept yet", key.txn)
            self._start(self._record_later(key, outcome))

    async def _record_later(self, key: SpendKey, outcome: Outcome) -> None:
        for seconds in RETRIES:
            await asyncio.sleep(seconds)
            try:
                await self._store.finish(key, outcome)
            except Refusal:
                continue
            return
        _LOG.error("the outcome of act %s could not be kept", key.txn)

    async def _again(self, key: SpendKey) -> Spend:
        found = await self._store.find_spend(key)
        if found is None:
            raise Refusal(Reason.STORE_UNAVAILABLE, "a spend that was there is gone")
        return found

    def _start(self, work: Coroutine[object, object, _T]) -> asyncio.Task[_T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def awaited(run: Callable[[], Awaitable[Answer]], place: Place) -> Answer:
    """Run a handler, and hold its place until it has done, also after its deadline."""
    async with place:
        return await run()


def _response(kept: Kept) -> Json:
    members: dict[str, Json] = {"status": kept.status, "content_type": kept.content_type}
    if kept.body is not None:
        members["body_base64url"] = base64url.encode(kept.body)
    return members
