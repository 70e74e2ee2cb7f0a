"""The endpoint at which an approval server hands over a later roster (specification, section "Rosters")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, jws, roster
from oneact.service import tickets, unlinking
from oneact.service.exchange import JSON, Answer

if TYPE_CHECKING:
    from oneact.protocol.roster import Roster
    from oneact.service.exchange import Request
    from oneact.service.guard import GuardCore
    from oneact.service.store.contract import Link, Vouched

_JWT: Final = "application/jwt"
_FAULTS: Final = jws.Faults(*[Reason.ROSTER_MALFORMED] * 5)


async def answer(guard: GuardCore, request: Request) -> Answer:
    """Pin a roster that a pinned passkey vouches for, or one by which the server only removes passkeys.

    From the service's own server also a first one, for the account that a ticket of the service names.
    """
    roster.check_octets(len(request.body))
    kind = request.media_type()
    if kind == JSON:
        return await _chain(guard, canonical.parse(request.body))
    if kind == _JWT:
        return await _removal(guard, request.body)
    raise Refusal(Reason.MEDIA_TYPE, kind)


async def _chain(guard: GuardCore, value: canonical.Json) -> Answer:
    if isinstance(value, dict) and "ticket" in value:
        text = value.pop("ticket")
        await tickets.pin(guard, roster.parse_signed(value), text)
        return Answer(204)
    signed = roster.parse_signed(value)
    link = await _link(guard, signed.roster)
    if signed.roster != link.roster:
        roster.check_next(signed, link.roster)
        await _pin(guard, link, signed.roster, signed.webauthn.members())
        await unlinking.cancel(guard, link.account, "passkey")
    return Answer(204)


async def _removal(guard: GuardCore, body: bytes) -> Answer:
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError as error:
        raise Refusal(Reason.ROSTER_MALFORMED, "not ASCII") from error
    claimed = roster.parse(jws.parse(text, roster.TYP, _FAULTS).claims)
    link = await _link(guard, claimed)
    now = guard.now()
    try:
        later = roster.check_removal(text, await guard.issuers.keys(claimed.iss), link.roster, now)
    except Refusal as refusal:
        if refusal.reason is not Reason.ROSTER_SIGNATURE:
            raise
        later = roster.check_removal(text, await guard.issuers.keys(claimed.iss, refresh=True), link.roster, now)
    await _pin(guard, link, later, text)
    return Answer(204)


async def _link(guard: GuardCore, claimed: Roster) -> Link:
    link = await guard.store.find_link(claimed.iss, claimed.sub)
    if link is None:
        raise Refusal(Reason.ROSTER_SUBJECT, "this person is linked to no account")
    return link


async def _pin(guard: GuardCore, link: Link, later: Roster, proof: Vouched) -> None:
    if not await guard.store.pin(later, link.roster.seq, guard.now(), proof):
        raise Refusal(Reason.ROSTER_SEQ, "another roster was pinned meanwhile")
    await guard.tell(link.account, "passkeys_changed")
