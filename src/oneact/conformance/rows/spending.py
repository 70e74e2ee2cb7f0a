"""Rows of check 11: an approval is used up once, whoever asks how often, and its holder is told what became of it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from oneact.conformance import outcome
from oneact.conformance.fault import Fault, shift
from oneact.conformance.outcome import Failed
from oneact.conformance.row import Group, Row, answered
from oneact.conformance.rows import acts, assertions, authorization, proofs, statements, tokens
from oneact.errors import Reason
from oneact.protocol import base64url
from oneact.testing import TestAgent

if TYPE_CHECKING:
    import httpx

    from oneact.conformance.stage import Stage

CALLERS: Final = 8
_BATTERY_SECONDS: Final = 20.0  # within the thirty that the right token lives
_ENDED: Final = {Reason.ALREADY_SPENT.value, Reason.ACT_IN_PROGRESS.value}
_GROUPS: Final = (
    authorization.GROUP, tokens.GROUP, tokens.TIMES, tokens.AUDIENCE, proofs.GROUP, acts.GROUP, statements.GROUP,
    assertions.GROUP,
)  # fmt: skip


def _again(stage: Stage) -> None:
    """Use a token twice."""
    asked = stage.ask()
    made = stage.approve(asked)
    first = outcome.executed(stage.show(asked, made))
    _same_outcome(first, stage.show(asked, made))


def _same_outcome(first: httpx.Response, again: httpx.Response) -> None:
    """Fail unless the second answer is a 409 with receipt, salt and response of the first."""
    outcome.refused(again, Reason.ALREADY_SPENT)
    said = outcome.body(again)
    outcome.same("the stored receipt", said.get("receipt"), first.headers["oneact-receipt"])
    outcome.same("the salt of the first answer", said.get("salt"), first.headers.get("oneact-result-salt"))
    kept = said.get("response") or {}
    outcome.same("the first answer's status", kept.get("status"), first.status_code)
    outcome.same("the first answer's content type", kept.get("content_type"), first.headers.get("content-type"))
    if len(first.content) <= 64 * 1024:
        outcome.same("the first answer's octets", kept.get("body_base64url"), base64url.encode(first.content))


def _other_token(stage: Stage) -> None:
    """Use a second token of one approval's `txn`, with a `jti` of its own."""
    asked = stage.ask()
    first = outcome.executed(stage.show(asked, stage.approve(asked)))
    _same_outcome(first, stage.show(asked, stage.approve(asked)))


def _after_expiry(stage: Stage) -> None:
    """Ask again with a token that has expired, of the same holder and act."""
    asked = stage.ask()
    first = outcome.executed(stage.show(asked, stage.approve(asked)))
    late = Fault(statement=shift(iat=-3600, exp=-3600), claims=shift(iat=-3600, exp=-3600))
    _same_outcome(first, stage.show(asked, stage.approve(asked, late)))


def _another_holder(stage: Stage) -> None:
    """Have the same offer approved for another agent, after the first one used it."""
    asked = stage.ask()
    outcome.executed(stage.show(asked, stage.approve(asked)))
    thief = TestAgent("https://agent.example/thief")
    answer = stage.show(asked, stage.approve(asked, agent=thief), agent=thief)
    outcome.refused(answer, Reason.SPENT_BY_ANOTHER)
    outcome.same("no receipt for another holder:", outcome.body(answer).get("receipt"), None)


def _race(stage: Stage) -> None:
    """Show one token in many requests at once."""
    asked = stage.ask()
    made = stage.approve(asked)
    with ThreadPoolExecutor(CALLERS) as pool:
        answers = list(pool.map(lambda _: stage.show(asked, made), range(CALLERS)))
    done = [answer for answer in answers if "oneact-receipt" in answer.headers]
    outcome.same("executions by one token:", len(done), 1)
    for answer in answers:
        if answer is not done[0] and outcome.body(answer).get("reason") not in _ENDED:
            raise Failed("409 already_spent or act_in_progress for all but one", outcome.told(answer))


def _battery(stage: Stage) -> None:
    """Have every wrong request made for one approval, then use the right token, made before them."""
    asked = stage.ask()
    right, until = stage.approve(asked), time.monotonic() + _BATTERY_SECONDS
    for row in (row for group in _GROUPS for row in group.rows):
        if row.wrong is not None and row.reasons and time.monotonic() < until:
            answer = stage.attempt(row.wrong, asked)
            if "oneact-receipt" in answer.headers:
                raise Failed(f"row {row.number} refused", outcome.told(answer))
    outcome.executed(stage.show(asked, right))


GROUP: Final = Group(
    "Check 11: the spend",
    (
        answered("11.1", "used again", "a used token with a fresh proof", (Reason.ALREADY_SPENT,), _again),
        answered("11.2", "another token", "a second token of a used approval", (Reason.ALREADY_SPENT,), _other_token),
        answered(
            "11.3", "after expiry", "a used approval with a token that has expired", (Reason.ALREADY_SPENT,), _after_expiry
        ),
        answered(
            "11.4", "another holder", "a used approval with a token of another agent", (Reason.SPENT_BY_ANOTHER,),
            _another_holder,
        ),
        Row(
            "11.5", "a race", f"one token in {CALLERS} requests at once",
            "executed once, 409 already_spent or act_in_progress for the others", _race,
        ),
        Row(
            "11.6", "nothing spent", "every wrong request above for one approval, then its right token", "executed", _battery
        ),
    ),
)  # fmt: skip
