"""The asking token: who asks, for a service that tells terms to those alone whom they concern (RFC 9068, RFC 9449).

It has another closed form than the action token, so that neither is ever taken for the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Refusal
from oneact.protocol import jws, scoped, token

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import SigningKey

SCOPE: Final = "ask"
LIFETIME: Final = 300


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
        return scoped.claims(self, SCOPE)


def sign(asking: AskingToken, key: SigningKey) -> str:
    """Sign an asking token with the approval server's key."""
    return jws.sign(asking.claims(), token.TYP, key)


def parse(text: str) -> tuple[AskingToken, jws.Jws]:
    """Read an asking token's form without verifying it; refuses `token_malformed`, `token_typ`, `token_alg`."""
    shared, _, parsed = scoped.parse(text, SCOPE)
    return AskingToken(*shared), parsed


def is_one(text: str) -> bool:
    """Tell whether a text says of itself that it is an asking token; whether that is true is for `parse` to find."""
    if len(text) > token.MAX_OCTETS:  # measured before it is read
        return False
    try:
        return jws.parse(text, token.TYP, token.FAULTS).claims.get("scope") == SCOPE
    except Refusal:
        return False
