"""The asking token: who asks, for a service that tells terms to those alone whom they concern (RFC 9068, RFC 9449).

It has another closed form than the action token, so that neither is ever taken for the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.protocol import form, jws, token

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import SigningKey

SCOPE: Final = "ask"
LIFETIME: Final = 300
_MEMBERS: Final = frozenset({"iss", "sub", "aud", "client_id", "iat", "exp", "jti", "cnf", "scope"})


class AskingToken(NamedTuple):
    """The claims of an asking token; `aud` is the service, `sub` the account's name there, times are seconds."""

    iss: str
    sub: str
    aud: str
    client_id: str
    iat: int
    exp: int
    jti: str
    jkt: str

    def claims(self) -> dict[str, Json]:
        """Give the claims as they are signed."""
        return {
            "iss": self.iss,
            "sub": self.sub,
            "aud": self.aud,
            "client_id": self.client_id,
            "iat": self.iat,
            "exp": self.exp,
            "jti": self.jti,
            "cnf": {"jkt": self.jkt},
            "scope": SCOPE,
        }


def sign(asking: AskingToken, key: SigningKey) -> str:
    """Sign an asking token with the approval server's key."""
    return jws.sign(asking.claims(), token.TYP, key)


def parse(text: str) -> tuple[AskingToken, jws.Jws]:
    """Read an asking token's form without verifying it; refuses `token_malformed`, `token_typ`, `token_alg`."""
    parsed = jws.parse(text, token.TYP, token.FAULTS)
    reason = Reason.TOKEN_MALFORMED
    claims = form.closed(parsed.claims, reason, _MEMBERS)
    if claims["scope"] != SCOPE:
        raise Refusal(reason, "another scope")
    return AskingToken(
        iss=form.text(claims["iss"], reason),
        sub=form.text(claims["sub"], reason, 255),
        aud=form.text(claims["aud"], reason),
        client_id=form.text(claims["client_id"], reason),
        iat=form.integer(claims["iat"], reason),
        exp=form.integer(claims["exp"], reason),
        jti=form.text(claims["jti"], reason, 128),
        jkt=form.digest(form.closed(claims["cnf"], reason, {"jkt"})["jkt"], reason),
    ), parsed


def is_one(text: str) -> bool:
    """Tell whether a text says of itself that it is an asking token; whether that is true is for `parse` to find."""
    if len(text) > token.MAX_OCTETS:  # measured before it is read
        return False
    try:
        return jws.parse(text, token.TYP, token.FAULTS).claims.get("scope") == SCOPE
    except Refusal:
        return False
