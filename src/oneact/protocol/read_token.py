"""The read token: for some minutes of a read session, as often as its holder likes, and for no act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.protocol import form, jws, passkey, reading, scoped, token

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import SigningKey
    from oneact.protocol.passkey import Assertion
    from oneact.protocol.reading import Statement

SCOPE: Final = "read"
LIFETIME: Final = 300
_MORE: Final = frozenset({"authorization_details", "approvals"})


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
        more = {"authorization_details": self.details, "approvals": self.approvals}
        return scoped.claims(self[:8], SCOPE) | more


def sign(claims: ReadToken, key: SigningKey) -> str:
    """Sign a read token with the approval server's key."""
    return jws.sign(claims.claims(), token.TYP, key)


def parse(text: str) -> tuple[ReadToken, jws.Jws]:
    """Read a read token's form without verifying it; refuses `token_malformed`, `token_typ`, `token_alg`."""
    shared, claims, parsed = scoped.parse(text, SCOPE, _MORE)
    return ReadToken(*shared, details=claims["authorization_details"], approvals=claims["approvals"]), parsed


def approvals(statement: Statement, webauthn: Assertion) -> list[Json]:
    """Give the one approval of a session as a token carries it."""
    return [{"statement": statement.members(), "webauthn": webauthn.members()}]


def parse_approvals(value: Json) -> tuple[Statement, Assertion]:
    """Read the one approval of a token; refuses `statement_malformed` or `assertion_malformed`."""
    if not isinstance(value, list) or len(value) != 1:
        raise Refusal(Reason.STATEMENT_MALFORMED, "not exactly one approval")
    members = form.closed(value[0], Reason.STATEMENT_MALFORMED, {"statement", "webauthn"})
    return reading.parse_statement(members["statement"]), passkey.parse_assertion(members["webauthn"])
