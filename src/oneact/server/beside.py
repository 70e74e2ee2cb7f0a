"""A server beside one service: who is signed in there, the service tells by a ticket, and each browser for an hour."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode, urlsplit

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, jws, metadata, roster, ticket
from oneact.protocol.roster import Roster
from oneact.server import hosting, services
from oneact.server.hosting import Guest
from oneact.store import Write

if TYPE_CHECKING:
    from starlette.requests import Request

    from oneact.fetch import Fetcher
    from oneact.protocol.canonical import Json
    from oneact.protocol.roster import SignedRoster
    from oneact.server.settings import Settings
    from oneact.server.world import World

LIFETIME: Final = 3600
_MAX_TOKEN: Final = 128
_SUCCESS: Final = range(200, 300)
_PASSED_ON: Final = frozenset({Reason.LINK_EXISTS, Reason.LINK_LOGIN_STALE, Reason.TICKET_INVALID})


@dataclass(frozen=True, slots=True)
class TicketGuest(Guest):
    """A guest with the ticket by which they entered; `pinned` is the name whose roster the service has pinned."""

    pinned: str | None
    ticket: str


class Beside:
    """The `Host` of a server that runs beside its service."""

    keeps_session = True

    def __init__(self, settings: Settings) -> None:
        self._path = settings.path
        self._cookie = settings.session_cookie
        self.resource = settings.for_service
        self.name = urlsplit(self.resource).netloc  # until the service has told its own

    async def guest(self, world: World, request: Request) -> TicketGuest | None:
        """Give whose ticket this browser entered with."""
        token = request.cookies.get(self._cookie, "")
        row = (
            await world.store.one("guest_session", _hash(token), world.now()) if 0 < len(token) <= _MAX_TOKEN else None
        )
        return None if row is None else TicketGuest(*(row[name] for name in _COLUMNS))

    async def standing(self, world: World, guest: Guest) -> Roster | None:
        """Give the roster that the service, by the ticket, has pinned; an empty one where it is not known here."""
        assert isinstance(guest, TicketGuest)  # as `guest` made it
        if guest.pinned is None:
            return None
        account = await world.store.one("account_of_guest", guest.id)
        row = None if account is None else await world.store.one("link_of_service", account["id"], self.resource)
        if row is not None and row["sub"] == guest.pinned:
            return roster.parse(canonical.parse(row["roster"].encode()))
        settings = world.settings
        return Roster(world.issuer, self.resource, guest.pinned, settings.rp_id, (settings.origin,), 1, ())

    async def link(self, world: World, guest: Guest, signed: SignedRoster) -> None:
        """Bring a roster to the service, a first one with the ticket; refuses what the service does."""
        assert isinstance(guest, TicketGuest)  # as `guest` made it
        body: dict[str, Json] = signed.members()
        if guest.pinned is None:
            body["ticket"] = guest.ticket
        service = await services.client(world, self.resource + metadata.CLIENT_PATH)
        self.name = service.name
        headers = {"Content-Type": "application/json"}
        answer = await world.fetch.fetcher.request(
            "POST", service.roster_uri, headers=headers, body=canonical.encode(body)
        )
        if answer.status not in _SUCCESS:
            raise Refusal(_reason(answer.body), f"the service answered {answer.status}")
        await world.store.change([Write("pinned_for_guest", (guest.id, signed.roster.sub), None)], ())

    def reaching(self, others: Fetcher) -> Fetcher:
        """Give what fetches from anyone: the service is somewhere else."""
        return others

    def sign_in(self, here: str, *, fresh: bool = False) -> str | None:
        """Give our own address that sends a browser to the service for a ticket."""
        return f"{self._path}/signin?next={quote(here, safe='')}" + ("&fresh=1" if fresh else "")


async def ticket_address(world: World, host: Beside, secret: str, *, fresh: bool) -> str:
    """Give the service's address for a ticket that only the browser with the cookie `secret` can enter with."""
    service = await services.describe(world, host.resource)
    host.name = service.name
    if service.ticket_uri is None:
        raise Refusal(Reason.METADATA_INVALID, f"{host.resource} has no oneact_ticket_uri")
    asked = {"nonce": canonical.sha256(secret.encode()), **({"max_age": str(hosting.FRESH)} if fresh else {})}
    return f"{service.ticket_uri}?{urlencode(asked)}"


async def enter(world: World, host: Beside, secret: str, text: str) -> str:
    """Begin a session by a ticket of the service, once and for this browser; give the token for its cookie.

    Refuses `ticket_invalid`.
    """
    service, now = await services.describe(world, host.resource), world.now()
    keys = await services.keys(world, service.jwks_uri, _kid(text))
    found = ticket.check(text, keys, host.resource, world.issuer, now)
    if found.nonce != canonical.sha256(secret.encode()):
        raise Refusal(Reason.TICKET_INVALID, "another browser's")
    token = secrets.token_urlsafe(32)
    row = (
        _hash(token), found.sub, found.label, found.auth_time, found.pinned, text, found.jti, now + LIFETIME,
    )  # fmt: skip
    writes = [Write("end_guest_sessions", (now,), None), Write("insert_guest_session", row)]
    if not await world.store.change(writes, ()):
        raise Refusal(Reason.TICKET_INVALID, "used before")
    return token


async def leave(world: World, token: str) -> None:
    """End a session."""
    await world.store.change([Write("end_guest_session", (_hash(token),), None)], ())


_COLUMNS: Final = ("guest", "label", "auth_time", "pinned", "ticket")


def _kid(text: str) -> str | None:
    if len(text) > ticket.MAX_OCTETS:
        raise Refusal(Reason.TICKET_INVALID, f"{len(text)} octets")
    return jws.parse(text, ticket.TYP, ticket.FAULTS).header.kid


def _reason(body: bytes) -> Reason:
    """Give the reason that the service gave, where it is one that the person can do something about."""
    try:
        told = canonical.parse(body)
    except Refusal:
        told = None
    named = told.get("reason") if isinstance(told, dict) else None
    return next((reason for reason in _PASSED_ON if reason.value == named), Reason.METADATA_UNREACHABLE)


def _hash(token: str) -> str:
    return canonical.sha256(b"oneact-guest-session-1\n" + token.encode())
