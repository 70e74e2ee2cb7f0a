"""The checks of an asking token, which says who asks and never leads to an act (specification, section 7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneact.errors import Reason, Refusal
from oneact.protocol import asking
from oneact.service.act import Asker
from oneact.service.checks import check_shown, check_time

if TYPE_CHECKING:
    from oneact.protocol.asking import AskingToken
    from oneact.protocol.dpop import Proof
    from oneact.service.checks import Account, Shown, Trust


def check_asking(shown: Shown, issuer: str, trust: Trust, now: int) -> tuple[AskingToken, Proof]:
    """Make checks 1, 2, 4, 5 and 3 of an asking token at second `now`.

    It has to be by `issuer`, to which the request asks for an offer. That the proof's `jti` is new in this process is
    the guard's to look up (check 5, `proof_replayed`).
    """
    found, proof = check_shown(asking.parse, shown, trust, now)
    if found.iss != issuer:
        raise Refusal(Reason.TOKEN_ISSUER, f"iss {found.iss!r}, asked for an offer to {issuer!r}")
    check_time(found, now, asking.LIFETIME)
    return found, proof


def check_linked(found: AskingToken, account: Account | None) -> Asker:
    """Make check 8 of an asking token and give who asks; `account` is the local one of (`iss`, `sub`), if any."""
    if account is None:
        raise Refusal(Reason.ACCOUNT_NOT_LINKED, f"iss {found.iss!r}, sub {found.sub!r}")
    return Asker(account.id, found.iss, found.sub, found.client_id, found.jkt)
