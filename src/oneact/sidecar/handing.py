"""Checks 11 and 12 where another process executes: the spend is made here, its outcome comes back with a ticket."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oneact.errors import Reason, Refusal
from oneact.service.exchange import Answer
from oneact.service.execution import Execution
from oneact.service.receipts import state_of
from oneact.service.store.contract import Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oneact.service.act import Act
    from oneact.service.execution import Place
    from oneact.service.receipts import Receipts
    from oneact.service.store.contract import Kept, Spend, SpendKey, Store


@dataclass(frozen=True, slots=True)
class Handed(Answer):
    """No answer to anybody: the act that the service is to execute now, with the spend that was made of it."""

    act: Act | None = None
    spend: Spend | None = None


class Handing(Execution):
    """Spends and hands out the acts named in `handed`; every other act runs here, as anywhere.

    Nothing of an act that was handed out is kept in this process: its spend is durable, and its deadline is looked
    after by `recover` and `existing`, here or in a process that takes this one's place.
    """

    def __init__(self, store: Store, signer: Receipts, now: Callable[[], int]) -> None:
        super().__init__(store, signer, now)
        self.handed: set[str] = set()

    async def spend_and_run(
        self, spend: Callable[[], Spend], run: Callable[[], Awaitable[Answer]], place: Place
    ) -> Answer:
        """Use up the approval, then hand the act out; of two callers one is handed it, and the other is told so."""
        made = spend()
        if made.action not in self.handed:
            return await super().spend_and_run(spend, run, place)
        return await asyncio.shield(self._start(self._hand(made, run)))

    async def end(self, key: SpendKey, answer: Answer | None, *, told: bool) -> Outcome:
        """Record what the service says of an act: its answer, or None where it does not know what was done.

        `told` is False for an answer whose octets are not here, so that the receipt has no `result_digest`. The same
        word again gives the same receipt. Refuses `receipt_conflict` for another word than the one that stands.
        """
        found = await self._store.find_spend(key)
        if found is None:
            raise Refusal(Reason.RECEIPT_UNKNOWN, "that spend has been forgotten")
        if answer is None:
            outcome = self._receipts.unknown(found, self._now())
        elif told:
            outcome = self._receipts.of_answer(found, answer, self._now())
        else:
            outcome = self._receipts.settled(found, state_of(answer.status), self._now())
        if not await self._store.finish(key, outcome):
            return _standing(await self._again(key), answer)
        return outcome

    async def _hand(self, spend: Spend, run: Callable[[], Awaitable[Answer]]) -> Answer:
        if not await self._store.spend(spend):
            return await self.existing(await self._again(spend.key), spend.holder)
        handed = await run()
        assert isinstance(handed, Handed)
        return replace(handed, spend=spend)


def _standing(found: Spend, answer: Answer | None) -> Outcome:
    """Give the word that stands, if it is the one that is said again."""
    said = "unknown" if answer is None else state_of(answer.status)
    if found.receipt is None or found.state != said or not _is_same(found.kept, answer):
        raise Refusal(Reason.RECEIPT_CONFLICT, f"{said} of act {found.key.txn}, which is {found.state}")
    return Outcome(found.state, found.receipt, 0, found.kept)


def _is_same(kept: Kept | None, answer: Answer | None) -> bool:
    if kept is None or answer is None:
        return True
    return kept.status == answer.status and kept.body in {None, answer.body}
