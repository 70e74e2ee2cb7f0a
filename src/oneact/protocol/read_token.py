"""The read token: for some minutes of a read session, as often as its holder likes, and for no act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.protocol import form, jws, passkey, reading, token

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import SigningKey
    from oneact.protocol.passkey import Assertion
    from oneact.protocol.reading import Statement

SCOPE: Final = "read"
LIFETIME: Final = 300
_MEMBERS: Final = frozenset(
    {"iss", "sub", "aud", "client_id", "iat", "exp", "jti", "cnf", "scope", "authorization_details", "approvals"}
)


class ReadToken(NamedTuple):
    """The claims of a read token; times are seconds, `details` and `approvals` are read when their checks come."""

    iss: str
    sub: str
    aud: str
    client_id: str
    iat: int
    exp: int
    jti: str
    jkt: str
    details: Json
    approvals: Json

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
            "authorization_details": self.details,
            "approvals": self.approvals,
        }


def sign(claims: ReadToken, key: SigningKey) -> str:
    """Sign a read token with the approval server's key."""
    return jws.sign(claims.claims(), token.TYP, key)


def parse(text: str) -> tuple[ReadToken, jws.Jws]:
    """Read a read token's form without verifying it; refuses `token_malformed`, `token_typ`, `token_alg`."""
    parsed = jws.parse(text, token.TYP, token.FAULTS)
    reason = Reason.TOKEN_MALFORMED
    claims = form.closed(parsed.claims, reason, _MEMBERS)
    if claims["scope"] != SCOPE:
        raise Refusal(reason, "another scope")
    return ReadToken(
        iss=form.text(claims["iss"], reason),
        sub=form.text(claims["sub"], reason, 255),
        aud=form.text(claims["aud"], reason),
        client_id=form.text(claims["client_id"], reason),
        iat=form.integer(claims["iat"], reason),
        exp=form.integer(claims["exp"], reason),
        jti=form.text(claims["jti"], reason, 128),
        jkt=form.digest(form.closed(claims["cnf"], reason, {"jkt"})["jkt"], reason),
        details=claims["authorization_details"],
        approvals=claims["approvals"],
    ), parsed


def approvals(statement: Statement, webauthn: Assertion) -> list[Json]:
    """Give the one approval of a session as a token carries it."""
    return [{"statement": statement.members(), "webauthn": webauthn.members()}]


def parse_approvals(value: Json) -> tuple[Statement, Assertion]:
    """Read the one approval of a token; refuses `statement_malformed` or `assertion_malformed`."""
    if not isinstance(value, list) or len(value) != 1:
        raise Refusal(Reason.STATEMENT_MALFORMED, "not exactly one approval")
    members = form.closed(value[0], Reason.STATEMENT_MALFORMED, {"statement", "webauthn"})
    return reading.parse_statement(members["statement"]), passkey.parse_assertion(members["webauthn"])
