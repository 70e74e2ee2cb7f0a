"""The service presents a token of its own, held to the checks of any other: one spend, one execution."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, dpop
from oneact.service.behalf.asking import Ended
from oneact.service.exchange import Request
from oneact.service.store.contract import SpendKey

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.service.exchange import Answer
    from oneact.service.guard import GuardCore
    from oneact.service.store.holding import Held

_RECEIPT: Final = "oneact-receipt"


async def present(guard: GuardCore, held: Held, token: str) -> tuple[Ended | None, Answer | None]:
    """Have a held call executed; gives its end, None while another process executes it, and the handler's answer."""
    submission = held.submission
    guarded = None if submission is None else guard.actions.get(submission.action)
    link = await guard.store.find_link(held.question.iss, held.question.sub)
    if submission is None or guarded is None:
        return Ended("refused", Reason.ACTION_UNKNOWN.value), None
    if link is None or link.account != held.account:
        return Ended("refused", Reason.ACCOUNT_NOT_LINKED.value), None
    address = guard.resource + submission.path
    proof = dpop.build(
        guard.keys.signing, submission.method, address, guard.now(), secrets.token_urlsafe(16), token=token
    )
    headers = ("authorization", f"DPoP {token}"), ("dpop", proof)
    request = Request(submission.method, submission.path, "", headers, b"", client="")
    answer = await guard.perform(guarded, dict(submission.parameters), request)
    spend = await guard.execution.find(key_of(guard, held))
    if spend is None:
        return Ended("refused", reason_of(answer)), None
    if any(name.lower() == _RECEIPT for name, _ in answer.headers):
        return Ended("done", ""), answer
    return (None if spend.state == "spent" else Ended("done", "")), None


def key_of(guard: GuardCore, held: Held) -> SpendKey:
    """Give the key of the spend that a held call would make."""
    return SpendKey(guard.resource, held.question.iss, held.question.txn)


def reason_of(answer: Answer) -> str:
    """Give the reason of a refusal of the guard's own; `internal` where the application itself said no before it."""
    try:
        told: Json = canonical.parse(answer.body)
    except Refusal:
        told = None
    named = told.get("reason") if isinstance(told, dict) else None
    known = {reason.value for reason in Reason}
    return named if isinstance(named, str) and named in known else Reason.INTERNAL.value
