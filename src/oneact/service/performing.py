"""The flow of one request to a guarded action: an offer, or the checks, the spend and the act."""

from __future__ import annotations

import contextlib
import functools
import time
from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import token
from oneact.service import askers, exchange, stating, unlinking
from oneact.service.act import Act
from oneact.service.checks import Held, Presented, check_approved, check_presented
from oneact.service.offers import asked_issuer
from oneact.service.once import Once
from oneact.service.stating import TermsChanged
from oneact.service.store.contract import Holder, Spend, SpendKey

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.service.checks import Approved
    from oneact.service.exchange import Answer, Request
    from oneact.service.guard import GuardCore
    from oneact.service.guarded import Guarded

_BEFORE_LOOK_UP: Final = 6  # the one check before the look-up of a spend whose token and proof are verified
_AFTER_LOOK_UP: Final = frozenset({3, 7, 8, 9, 10})


async def perform(guard: GuardCore, guarded: Guarded, given: dict[str, Any], request: Request) -> Answer:
    """Answer one request to a guarded action whose parameters, flat, are `given`."""
    with_token = not askers.is_asking(request)  # an action token, or what has to be one
    try:
        await guard.start()
        parameters = await guard.call(functools.partial(guarded.normalise, given), "here")
        if not with_token:
            return await _offer(guard, guarded, parameters, request)
        return await _act(guard, guarded, parameters, request)
    except Refusal as refusal:
        members: dict[str, Json] = {}
        unspent = with_token and await _is_unspent(guard, refusal, guarded, request)
        if unspent:
            members["not_executed"] = True
        if refusal.reason is Reason.ISSUER_NOT_ACCEPTED:
            members["link_uri"] = f"{guard.resource}/oneact/link"
        if isinstance(refusal, TermsChanged) and unspent:
            members["transaction_challenge"] = refusal.challenge
        return exchange.refused(refusal, request.method, request.path, **members)


async def _offer(guard: GuardCore, guarded: Guarded, parameters: dict[str, Json], request: Request) -> Answer:
    issuer = asked_issuer(request.values("accept-txn-challenge"))
    if issuer is None or not await guard.issuers.accepts(issuer):
        raise Refusal(Reason.ISSUER_NOT_ACCEPTED, f"Accept-Txn-Challenge asks for {issuer!r}")
    guard.rate.take(request.client, time.monotonic())
    asker = await askers.asker_of(guard, request, issuer)
    if guarded.personal and asker is None:
        raise Refusal(Reason.ASKING_TOKEN_REQUIRED, guarded.action.name)
    return guard.offers.answer(await guard.make_offer(guarded, parameters, issuer, asker))


async def _act(guard: GuardCore, guarded: Guarded, parameters: dict[str, Json], request: Request) -> Answer:
    now = guard.now()  # one clock reading for one verification
    presented = Presented(
        request.values("authorization"), request.values("dpop"), request.method, guard.resource + request.path,
        guarded.action, parameters,
    )  # fmt: skip
    held = await _present(guard, presented, now)
    guard.remember(held.proof.jkt, held.proof.jti, now)
    key = SpendKey(guard.resource, held.token.iss, held.token.txn)
    found = await guard.execution.find(key)
    if found is not None:
        return await guard.execution.existing(found, _holder(held))
    account = await guard.store.account(held.token.iss, held.token.sub)
    approved = check_approved(held, guard.trust(), account, now)
    if approved.account.unlinking:
        await unlinking.cancel(guard, approved.account.id, "passkey")
    await stating.check_hold(guard, guarded, approved)
    act = _approved_act(approved)

    def spend() -> Spend:
        spent = guard.now()
        return Spend(
            key, _holder(held), held.token.jti, act.account, act.action, spent, spent + guarded.deadline,
            token=_token_text(presented),
        )  # fmt: skip

    place = guard.threads.place(held.token.exp - now) if guarded.blocking else contextlib.nullcontext()
    once = guard.execution
    begin = once.run_once if guarded.spends and isinstance(once, Once) else once.spend_and_run
    return await begin(spend, lambda: guarded.run(parameters, act), place)


async def _is_unspent(guard: GuardCore, refusal: Refusal, guarded: Guarded, request: Request) -> bool:
    """Tell whether the look-up of a spend has found none; where the store cannot answer, it is not known.

    That look-up did not see what a handler that spends has not committed yet: for those it is looked again.
    """
    looked = refusal.reason.check in _AFTER_LOOK_UP
    if refusal.reason.check != _BEFORE_LOOK_UP and not (looked and guarded.spends):
        return looked
    verified = token.parse(request.values("authorization")[0].partition(" ")[2])[0]
    try:
        return await guard.execution.is_unspent(SpendKey(guard.resource, verified.iss, verified.txn))
    except Refusal:
        return False


async def _present(guard: GuardCore, presented: Presented, now: int) -> Held:
    """Make the first half of the checks; for an issuer or key not at hand, fetch and make it once more."""
    try:
        return check_presented(presented, guard.trust(), now)
    except Refusal as refusal:
        if not await guard.learn(_token_text(presented), refusal.reason):
            raise
    return check_presented(presented, guard.trust(), now)


def _holder(held: Held) -> Holder:
    """Give whose a token is."""
    found = held.token
    return Holder(found.sub, found.client_id, found.jkt, held.digest)


def _token_text(presented: Presented) -> str:
    return presented.authorization[0].partition(" ")[2]


def _approved_act(approved: Approved) -> Act:
    held = approved.held
    found = held.token
    return Act(
        account=approved.account.id,
        txn=found.txn,
        action=held.action.name,
        parameters=held.parameters,
        terms=held.act.terms,
        approvers=approved.persons,
        issuer=found.iss,
        client_id=found.client_id,
        jkt=found.jkt,
    )
