"""The ticket by which a service tells its own approval server who is signed in (specification, section 6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import form, jws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey, SigningKey

TYP: Final = "oneact-ticket+jwt"
MAX_OCTETS: Final = 4 * 1024
LIFETIME: Final = 60
LEEWAY: Final = 5
MAX_LABEL: Final = 80
MAX_SUB: Final = 255
_MAX_JTI: Final = 128
_MEMBERS: Final = frozenset({"iss", "aud", "sub", "label", "auth_time", "pinned", "nonce", "iat", "exp", "jti"})
FAULTS: Final = jws.Faults(*[Reason.TICKET_INVALID] * 5)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket: `iss` the service, `aud` the approval server, `sub` the account's id, `label` its name there.

    `auth_time` is the second of the sign-in, `pinned` the pairwise name whose roster the service has pinned for the
    account (None for none), `nonce` the digest of what the browser holds that may enter with it.
    """

    iss: str
    aud: str
    sub: str
    label: str
    auth_time: int
    pinned: str | None
    nonce: str
    iat: int
    exp: int
    jti: str


def sign(ticket: Ticket, key: SigningKey) -> str:
    """Sign a ticket with the service's key."""
    claims: dict[str, Json] = {name: getattr(ticket, name) for name in sorted(_MEMBERS)}
    return jws.sign(claims, TYP, key)


def check(text: str, keys: Mapping[str, PublicKey], issuer: str, audience: str, now: int, late: int = 0) -> Ticket:
    """Read a ticket of at most 4 KiB from the service `issuer` for the server `audience`, good at second `now`.

    `late` are seconds after its end in which it still tells what it told. That its `jti` is new and its `nonce` the
    browser's is the caller's to look up. Refuses `ticket_invalid`.
    """
    reason = Reason.TICKET_INVALID
    if len(text) > MAX_OCTETS:
        raise Refusal(reason, f"{len(text)} octets")
    parsed = jws.parse(text, TYP, FAULTS)
    jws.verify_with(parsed, keys, FAULTS)
    found = _read(parsed.claims)
    if (found.iss, found.aud) != (issuer, audience):
        raise Refusal(reason, f"iss {found.iss!r}, aud {found.aud!r}")
    if found.iat > now + LEEWAY or now >= found.exp + late or not 0 < found.exp - found.iat <= LIFETIME:
        raise Refusal(reason, f"iat {found.iat}, exp {found.exp} at {now}")
    if found.auth_time > found.iat:
        raise Refusal(reason, f"auth_time {found.auth_time} after iat {found.iat}")
    return found


def _read(value: Json) -> Ticket:
    reason = Reason.TICKET_INVALID
    members = form.closed(value, reason, _MEMBERS)
    pinned = members["pinned"]
    return Ticket(
        iss=form.text(members["iss"], reason),
        aud=form.text(members["aud"], reason),
        sub=form.text(members["sub"], reason, MAX_SUB),
        label=form.text(members["label"], reason, MAX_LABEL),
        auth_time=form.integer(members["auth_time"], reason),
        pinned=None if pinned is None else form.text(pinned, reason, MAX_SUB),
        nonce=form.digest(members["nonce"], reason),
        iat=form.integer(members["iat"], reason),
        exp=form.integer(members["exp"], reason),
        jti=form.text(members["jti"], reason, _MAX_JTI),
    )
