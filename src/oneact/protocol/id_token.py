"""The ID token of linking, which carries the first roster (OpenID Connect Core section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import form, jws, roster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey, SigningKey
    from oneact.protocol.roster import SignedRoster

TYP: Final = "JWT"
MAX_OCTETS: Final = 96 * 1024
LIFETIME: Final = 60
LEEWAY: Final = 5
_MAX_LIFETIME: Final = 600
FAULTS: Final = jws.Faults(*[Reason.ID_TOKEN_INVALID] * 5)
_MEMBERS: Final = frozenset({"iss", "aud", "sub", "iat", "exp", "nonce", "auth_time", "acr", "amr", "oneact_roster"})


@dataclass(frozen=True, slots=True)
class IdToken:
    """The claims of an ID token; `aud` is the service's client_id, `sub` the person's pairwise name at the service."""

    iss: str
    aud: str
    sub: str
    iat: int
    exp: int
    nonce: str
    auth_time: int
    signed_roster: SignedRoster


def sign(token: IdToken, key: SigningKey) -> str:
    """Sign an ID token with the approval server's key."""
    claims: dict[str, Json] = {
        "iss": token.iss,
        "aud": token.aud,
        "sub": token.sub,
        "iat": token.iat,
        "exp": token.exp,
        "nonce": token.nonce,
        "auth_time": token.auth_time,
        "acr": "phrh",
        "amr": ["hwk", "user"],
        "oneact_roster": token.signed_roster.members(),
    }
    return jws.sign(claims, TYP, key)


def check(  # noqa: PLR0913, PLR0917 - what one ID token is held against (OpenID Connect Core section 3.1.3.7)
    text: str, keys: Mapping[str, PublicKey], issuer: str, client_id: str, resource: str, nonce: str, now: int
) -> IdToken:
    """Check an ID token and the roster in it, which has to be this issuer's, for `resource`, about this `sub`.

    Refuses `id_token_invalid`, `link_nonce`, or the `roster_…` of what does not hold.
    """
    reason = Reason.ID_TOKEN_INVALID
    if len(text) > MAX_OCTETS:
        raise Refusal(reason, f"{len(text)} octets")
    parsed = jws.parse(text, TYP, FAULTS)
    jws.verify_with(parsed, keys, FAULTS)
    claims = form.closed(parsed.claims, reason, _MEMBERS)
    if claims["iss"] != issuer or claims["aud"] != client_id:
        raise Refusal(reason, "iss or aud")
    iat, exp = form.integer(claims["iat"], reason), form.integer(claims["exp"], reason)
    if iat > now + LEEWAY or now >= exp or exp - iat > _MAX_LIFETIME:
        raise Refusal(reason, "iat or exp")
    if claims["nonce"] != nonce:
        raise Refusal(Reason.LINK_NONCE, "nonce")
    subject = form.text(claims["sub"], reason, 255)
    signed = roster.parse_signed(claims["oneact_roster"])
    roster.check_first(signed, issuer, resource, subject)
    auth_time = form.integer(claims["auth_time"], reason)
    return IdToken(issuer, client_id, subject, iat, exp, nonce, auth_time, signed)
