"""The terms of an act: stated by the owner for an offer, and looked at again before the act runs (check 7, its end)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service.act import Asker

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.service.checks import Approved
    from oneact.service.guard import GuardCore
    from oneact.service.guarded import Guarded

_LOG: Final = logging.getLogger("oneact.service")


class TermsChanged(Refusal):
    """The refusal of terms that hold no longer, with the offer of those that do."""

    def __init__(self, challenge: str) -> None:
        super().__init__(Reason.TERMS_CHANGED)
        self.challenge = challenge


async def offered(
    guard: GuardCore, guarded: Guarded, parameters: dict[str, Json], issuer: str, asker: Asker | None
) -> str:
    """Make an offer for the approval server `issuer`, with the terms as they stand at this moment."""
    stated = await _stated(guarded, parameters, asker)
    return guard.offers.make(guarded.action, parameters, stated, issuer, guard.now(), asker)


async def check_hold(guard: GuardCore, guarded: Guarded, approved: Approved) -> None:
    """Check 7, its end: the terms still hold; else the refusal carries a fresh offer."""
    held = approved.held
    approved_terms = held.act.terms
    if approved_terms is None:
        return
    asker = _asker(approved) if guarded.personal else None
    named = [] if asker is None else [asker]
    if guarded.holds is not None and await _asked(guarded.holds(held.parameters, approved_terms, *named)):
        return
    anew = await _stated(guarded, held.parameters, asker)
    if guarded.holds is None and anew is not None and canonical.digest(anew) == canonical.digest(approved_terms):
        return
    issuer, now = held.token.iss, guard.now()
    raise TermsChanged(guard.offers.make(guarded.action, held.parameters, anew, issuer, now, asker))


async def _stated(guarded: Guarded, parameters: dict[str, Json], asker: Asker | None) -> dict[str, Json] | None:
    if guarded.quote is None:
        return None
    found = await _asked(guarded.quote(parameters, *([asker] if guarded.personal else [])))
    try:  # the owner's values are read as strictly as anyone's: what is no I-JSON never gets into an offer
        stated = canonical.parse(canonical.encode(found))
    except (Refusal, TypeError, ValueError) as error:
        raise Refusal(Reason.INTERNAL, f"the terms are not strict JSON: {error}") from error
    return stated if isinstance(stated, dict) else None


async def _asked(question: Any) -> Any:  # noqa: ANN401 - the owner's own function gives it
    """Await the owner's function; what it cannot decide is refused."""
    try:
        return await question
    except Refusal:
        raise
    except Exception as error:
        _LOG.exception("the terms could not be stated")
        raise Refusal(Reason.STORE_UNAVAILABLE, "the terms could not be stated") from error


def _asker(approved: Approved) -> Asker:
    found = approved.held.token
    return Asker(approved.account.id, found.iss, found.sub, found.client_id, found.jkt)
