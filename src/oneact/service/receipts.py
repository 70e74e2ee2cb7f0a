"""Receipts: the service's signed word on what became of an act."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.protocol import base64url, receipt
from oneact.service.store.contract import Kept, Outcome

if TYPE_CHECKING:
    from oneact.protocol.jwk import SigningKey
    from oneact.service.exchange import Answer
    from oneact.service.store.contract import Spend, State

MAX_KEPT: Final = 64 * 1024
_FAILED: Final = 400


@dataclass(frozen=True, slots=True)
class Receipts:
    """Signs what becomes of spends."""

    key: SigningKey

    def of_answer(self, spend: Spend, answer: Answer, now: int) -> Outcome:
        """Give the outcome of a handler that answered: `failed` where the answer is an error, else `executed`."""
        return self._with_answer(spend, answer, now, state_of(answer.status))

    def executed(self, spend: Spend, answer: Answer, now: int) -> Outcome:
        """Give the outcome of a handler whose spend was committed, whatever it answered."""
        return self._with_answer(spend, answer, now, "executed")

    def unknown(self, spend: Spend, now: int) -> Outcome:
        """Give the outcome of a handler of which nobody knows whether it did its work."""
        return Outcome("unknown", self._sign(spend, "unknown", now, None), now)

    def settled(self, spend: Spend, state: State, now: int) -> Outcome:
        """Give the outcome that was found out later, from the service's owner or its database."""
        return Outcome(state, self._sign(spend, state, now, None), now)

    def _with_answer(self, spend: Spend, answer: Answer, now: int, state: State) -> Outcome:
        salt = secrets.token_bytes(16)
        text = self._sign(spend, state, now, receipt.result_digest(salt, answer.body))
        body = answer.body if len(answer.body) <= MAX_KEPT else None
        return Outcome(state, text, now, Kept(answer.status, answer.content_type, body, salt))

    def _sign(self, spend: Spend, state: State, now: int, result_digest: str | None) -> str:
        holder = spend.holder
        claims = receipt.Receipt(
            spend.key.aud, spend.key.iss, holder.sub, spend.key.txn, spend.jti, holder.act_digest, now, state,
            result_digest,
        )  # fmt: skip
        return receipt.sign(claims, self.key)


def state_of(status: int) -> State:
    """Give what an answer's status says of its act: an error says that the act was not done."""
    return "failed" if status >= _FAILED else "executed"


def headers(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    """Give the header fields with which an answer carries its receipt."""
    named = [("OneAct-Receipt", outcome.receipt)]
    if outcome.kept is not None:
        named.append(("OneAct-Result-Salt", base64url.encode(outcome.kept.salt)))
    return tuple(named)
