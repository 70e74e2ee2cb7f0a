"""Checks 11 and 12 for a handler that writes the spend in its own transaction: the row that it committed decides.

Nothing is written before the handler runs. When it has ended, the guard looks for the row of this very run:

1. The row is there: executed, whatever the handler answered or raised. The guard's own store gets spend and outcome.
2. The row of another run is there: this one was rolled back by the conflict; the answer is the other's outcome.
3. No row, and none can still come, since the guard could have written it itself: the handler answered 400 or more, or
   raised, and so nothing was executed or spent; or it claims success, which is not believed: `unknown`, never again.
4. It cannot be told, as a transaction is still open or the database is silent: the act is told to be in progress.

A row that no process has recorded is found after its deadline, by the rounds or by a request, and finished as executed.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from typing import TYPE_CHECKING, Any, Final, TypeVar

from oneact.errors import Reason, Refusal
from oneact.service import exchange, receipts, spending
from oneact.service.execution import GRACE, RETRIES, Execution, awaited
from oneact.service.spending import UnderWay
from oneact.service.store.contract import SpendKey

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oneact.service.act import Act
    from oneact.service.exchange import Answer
    from oneact.service.execution import Place
    from oneact.service.receipts import Receipts
    from oneact.service.store.contract import Outcome, Spend, Store
    from oneact.service.store.owner import OwnerDatabase

_FAILED: Final = 400
_LOG: Final = logging.getLogger("oneact.service")
_T = TypeVar("_T")


class Once(Execution):
    """Runs handlers that spend; `resource` is the `aud` of what the owner's database holds for this service."""

    def __init__(
        self, store: Store, signer: Receipts, now: Callable[[], int], database: OwnerDatabase, resource: str
    ) -> None:
        super().__init__(store, signer, now)
        self._database = database
        self._resource = resource
        self._under_way: dict[SpendKey, UnderWay] = {}

    def write(self, session: Any, act: Act | None) -> None:  # noqa: ANN401 - the owner's own
        """Write the spend of the act under way, or of `act`, as `UnderWay.write`."""
        if act is None:
            spending.current().write(session)
            return
        found = self._under_way.get(SpendKey(self._resource, act.issuer, act.txn))
        if found is None:
            raise RuntimeError("guard.spend was given an act that is not under way with spends=True")
        found.write(session)

    async def find(self, key: SpendKey) -> Spend | None:
        """Give the spend of this key: as the own store has it, as it runs here, or as the owner's database has it."""
        found = await self._store.find_spend(key)
        if found is not None:
            return found
        if key in self._under_way:
            return self._under_way[key].spend
        written = await self._database.find(key)
        return None if written is None else written.spend

    async def is_unspent(self, key: SpendKey) -> bool:
        """Tell whether there is no spend of this key, nor a transaction open that could still commit one."""
        return await self.find(key) is None and not await self._database.is_taken(key)

    async def run_once(self, make: Callable[[], Spend], run: Callable[[], Awaitable[Answer]], place: Place) -> Answer:
        """Run a handler that spends; `make` and `place` as for `spend_and_run`."""
        return await asyncio.shield(self._start(self._run_once(make, run, place)))

    async def recover(self) -> None:
        """Finish what was cut off, and what was committed without the guard's own store knowing of it."""
        await super().recover()
        try:
            written = await self._database.unrecorded(self._resource, self._now() - GRACE)
            ended = [found.spend for found in written if found.spend.key not in self._under_way]
            for spend in ended:
                await self._recover(spend)
            if ended:
                await self._database.tick_off([spend.key for spend in ended])
        except Refusal as refusal:
            _LOG.warning("what handlers have spent cannot be looked up: %s", refusal)

    async def forget(self, before: int) -> None:
        """Forget in both places."""
        await super().forget(before)
        await self._database.forget(self._resource, before)

    async def _cut_off(self, spend: Spend) -> Spend:
        """Ask the owner's database what became of it; what it does not hold may be an act of an ordinary handler."""
        if spend.key in self._under_way:
            return spend
        written = await self._database.find(spend.key)
        return await super()._cut_off(spend) if written is None else await self._executed(written.spend)

    async def _run_once(self, make: Callable[[], Spend], run: Callable[[], Awaitable[Answer]], place: Place) -> Answer:
        async with contextlib.AsyncExitStack() as held:
            await held.enter_async_context(place)
            spend = make()
            if spend.key in self._under_way:
                return await self.existing(self._under_way[spend.key].spend, spend.holder)
            under_way = self._under_way[spend.key] = UnderWay(spend, self._now)
            handler = self._start(awaited(lambda: under_way.perform(run), held.pop_all()))
        ending = self._start(self._ended(under_way, handler))
        done, _ = await asyncio.wait({ending}, timeout=spend.deadline_at - spend.spent_at)
        return ending.result() if done else exchange.in_progress()

    async def _ended(self, under_way: UnderWay, handler: asyncio.Task[Answer]) -> Answer:
        try:
            await asyncio.wait({handler})
            raised = handler.exception()
            if raised is not None:
                trace = None if isinstance(raised, Refusal) else raised
                _LOG.error("the handler of act %s failed: %r", under_way.spend.key.txn, raised, exc_info=trace)
            return await self._decide(under_way, None if raised else handler.result())
        except Refusal as refusal:
            if refusal.reason is not Reason.STORE_UNAVAILABLE:
                raise
            _LOG.warning("what became of act %s cannot be told yet: %s", under_way.spend.key.txn, refusal)
            return exchange.in_progress()
        finally:
            del self._under_way[under_way.spend.key]

    async def _decide(self, under_way: UnderWay, answer: Answer | None) -> Answer:
        """Find out what a handler has done that answered, or raised where `answer` is None."""
        spend = under_way.spend
        if answer is not None and answer.status < _FAILED and not under_way.called:  # so sure that nobody is asked
            return await self._not_written(spend, answer)
        look = functools.partial(self._database.find, spend.key)
        written = await (look() if answer is None or not under_way.called else _persisted(look))
        if written is None and await self._database.is_taken(spend.key):  # committed between the two looks
            written = await self._database.find(spend.key)
        if written is None:
            return await self._not_written(spend, answer)
        if written.run != under_way.run:
            return await self.existing(await self._store.find_spend(spend.key) or written.spend, spend.holder)
        if answer is None:
            return await self.existing(await self._executed(spend), spend.holder)
        return await self._answered(spend, answer)

    async def _not_written(self, spend: Spend, answer: Answer | None) -> Answer:
        if answer is None:
            refusal = Refusal(Reason.ACT_ROLLED_BACK, spend.key.txn)
            return exchange.of_refusal(refusal, not_executed=True)
        if answer.status >= _FAILED:
            return answer
        _LOG.error("the handler of act %s answered without having committed its guard.spend", spend.key.txn)
        await _persisted(lambda: self._store.spend(spend))  # under way until then: nobody else begins it
        return await self._unknown(spend, "the handler did not spend")

    async def _answered(self, spend: Spend, answer: Answer) -> Answer:
        """Record an executed act with its answer; a receipt is told after it is durable, and no two of them."""
        outcome = self._receipts.executed(spend, answer, self._now())
        if await _persisted(lambda: self._kept(spend, outcome)):
            return answer.with_headers(*receipts.headers(outcome))
        return await self.existing(await self._again(spend.key), spend.holder)

    async def _recover(self, spend: Spend) -> None:
        found = await self._store.find_spend(spend.key)
        if found is None or found.state in {"spent", "unknown"}:
            _LOG.warning("act %s was cut off after it had been committed; it is executed", spend.key.txn)
            await self._executed(spend)

    async def _executed(self, spend: Spend) -> Spend:
        """Record as executed what the owner's database holds, without the answer, which nobody has any more."""
        await self._kept(spend, self._receipts.settled(spend, "executed", self._now()))
        return await self._again(spend.key)

    async def _kept(self, spend: Spend, outcome: Outcome) -> bool:
        await self._store.spend(spend)
        return await self._store.finish(spend.key, outcome)


async def _persisted(work: Callable[[], Awaitable[_T]]) -> _T:
    """Have a database do something, again where it cannot answer; refuses `store_unavailable` in the end."""
    for seconds in RETRIES:
        with contextlib.suppress(Refusal):
            return await work()
        await asyncio.sleep(seconds)
    return await work()
