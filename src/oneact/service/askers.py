"""Who asks for an offer: nobody who is known, or the agent of a linked person, by the asking token that it shows."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from oneact.errors import Refusal
from oneact.protocol import asking
from oneact.service.act import Asker
from oneact.service.asking import check_asking, check_linked
from oneact.service.checks import Shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.service.exchange import Request
    from oneact.service.guard import GuardCore


def is_asking(request: Request) -> bool:
    """Tell whether a request asks for an offer: it has no token, or asks for one with what says to be an asking token.

    The token decides, not the field: an agent may send `Accept-Txn-Challenge` with every request. What says so and is
    none is refused by its checks, and so is an asking token that comes without the field.
    """
    authorization = request.values("authorization")
    if not authorization:
        return True
    accepts = bool(request.values("accept-txn-challenge"))
    return accepts and len(authorization) == 1 and asking.is_one(_token_text(request))


async def asker_of(guard: GuardCore, request: Request, issuer: str) -> Asker | None:
    """Give who asks for an offer to `issuer`, None where the request has no token.

    Refuses what does not hold of an asking token.
    """
    if not request.values("authorization"):
        return None
    now = guard.now()  # one clock reading for one verification
    address = guard.resource + request.path
    shown = Shown(request.values("authorization"), request.values("dpop"), request.method, address)
    try:
        found, proof = check_asking(shown, issuer, guard.trust(), now)
    except Refusal as refusal:
        if not await guard.learn(_token_text(request), refusal.reason, asking.parse):
            raise
        found, proof = check_asking(shown, issuer, guard.trust(), now)
    guard.remember(proof.jkt, proof.jti, now)
    return check_linked(found, await guard.store.account(found.iss, found.sub))


def asker_argument(function: Callable[..., Any] | None) -> str | None:
    """Give the name of the argument that an owner's function annotates as `Asker`, None where there is none.

    Annotations are compared as they are written: those of a module with postponed ones are texts.
    """
    if function is None:
        return None
    for name, found in inspect.signature(function).parameters.items():
        said = found.annotation
        if said is Asker or (isinstance(said, str) and said.strip("'\"").rpartition(".")[2] == Asker.__name__):
            return name
    return None


def _token_text(request: Request) -> str:
    return request.values("authorization")[0].partition(" ")[2]
