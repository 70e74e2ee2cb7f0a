"""Tickets: how the service tells the approval server that it runs beside itself who is signed in (section 6.2)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from oneact.errors import Reason, Refusal
from oneact.protocol import form, jwk, roster, ticket
from oneact.service import reading
from oneact.service.exchange import Answer
from oneact.service.store.contract import Link

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.roster import SignedRoster
    from oneact.protocol.ticket import Ticket
    from oneact.service.act import LocalAccount
    from oneact.service.exchange import Request
    from oneact.service.guard import GuardCore

TICKET_PATH: Final = "/oneact/ticket"
FRESH: Final = 300
_LATE: Final = 300


@dataclass(frozen=True, slots=True)
class Beside:
    """The service's own approval server, run beside it with `oneact serve --for`: its persons are the accounts here.

    `issuer` is its public address, whole and without a final slash.
    """

    issuer: str


async def hand_over(guard: GuardCore, request: Request) -> Answer:
    """Send a browser back to the service's own approval server with a ticket for the account that is signed in."""
    if guard.beside is None:
        raise Refusal(Reason.ADDRESS_UNKNOWN, request.path)
    fields = reading.fields(request.query)
    nonce = form.digest(fields.get("nonce"), Reason.REQUEST_MALFORMED)
    account = await guard.signed_in(request.native)
    if account is None or ("max_age" in fields and not _is_fresh(guard, account.auth_time)):
        way = guard.sign_in(f"{TICKET_PATH}?{request.query}")
        if way is None:
            raise Refusal(Reason.SESSION_REQUIRED)
        return _to(way)
    text = ticket.sign(await _ticket(guard, guard.beside.issuer, account, nonce), guard.keys.signing)
    return _to(f"{guard.beside.issuer}/enter?{urlencode({'ticket': text})}")


async def pin(guard: GuardCore, signed: SignedRoster, text: Json) -> None:
    """Pin the first roster of the account that a ticket names.

    Refuses `ticket_invalid`, `link_login_stale`, `link_exists`, and `roster_…`.
    """
    if guard.beside is None or not isinstance(text, str):
        raise Refusal(Reason.TICKET_INVALID, "this service gives none")
    keys, now, issuer = jwk.parse_set(guard.keys.jwks), guard.now(), guard.beside.issuer
    found = ticket.check(text, keys, guard.resource, issuer, now, _LATE)
    if not _is_fresh(guard, found.auth_time):
        raise Refusal(Reason.LINK_LOGIN_STALE, f"auth_time {found.auth_time} of {found.sub!r} at {now}")
    roster.check_first(signed, issuer, guard.resource, signed.roster.sub)
    if not await guard.store.link(Link(found.sub, signed.roster, now, signed.webauthn.members())):
        raise Refusal(Reason.LINK_EXISTS, found.sub)
    await guard.tell(found.sub, "linked")


async def _ticket(guard: GuardCore, issuer: str, account: LocalAccount, nonce: str) -> Ticket:
    links, now = await guard.store.links(account.id), guard.now()
    label = (account.label.strip() or account.id)[: ticket.MAX_LABEL]
    pinned = links[0].roster.sub if links else None
    end, jti = now + ticket.LIFETIME, secrets.token_urlsafe(16)
    since = min(account.auth_time, now)
    return ticket.Ticket(guard.resource, issuer, account.id, label, since, pinned, nonce, now, end, jti)


def _is_fresh(guard: GuardCore, auth_time: int) -> bool:
    return 0 <= guard.now() - auth_time <= FRESH


def _to(address: str) -> Answer:
    return Answer(
        303, headers=(("Location", address), ("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"))
    )
