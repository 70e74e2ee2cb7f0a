"""The action token: the access token for one act, bound to the agent's key (RFC 9068, RFC 9449, RFC 9396)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.protocol import act, approval, base64url, canonical, form, jws, passkey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oneact.protocol.act import Act
    from oneact.protocol.approval import Statement
    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import SigningKey
    from oneact.protocol.passkey import Assertion

TYP: Final = "at+jwt"
LIFETIME: Final = 30
LEEWAY: Final = 5
MAX_OCTETS: Final = 6 * 1024
MAX_APPROVALS: Final = 3
FAULTS: Final = jws.Faults(
    Reason.TOKEN_MALFORMED, Reason.TOKEN_TYP, Reason.TOKEN_ALG, Reason.TOKEN_KEY, Reason.TOKEN_SIGNATURE
)
_MEMBERS: Final = frozenset(
    {
        "iss", "sub", "aud", "client_id", "iat", "exp", "jti", "txn", "cnf", "auth_time", "acr", "amr",
        "authorization_details", "approvals",
    }
)  # fmt: skip
_TEXTS: Final = ("iss", "sub", "aud", "client_id", "jti", "txn", "acr")
_LIMITS: Final = (2048, 255, 2048, 2048, 128, 128, 2048)
_TIMES: Final = ("iat", "exp", "auth_time")
_SIGNATURE: Final = 64  # octets of one, in ES256 and in EdDSA
_CNF: Final = frozenset({"jkt"})
_APPROVAL: Final = frozenset({"statement", "webauthn"})


class Approval(NamedTuple):
    """One person's approval: the statement and the assertion over it; not yet verified."""

    statement: Statement
    webauthn: Assertion

    def members(self) -> dict[str, Json]:
        """Give the approval as it stands in a token."""
        return {"statement": self.statement.members(), "webauthn": self.webauthn.members()}


class ActionToken(NamedTuple):
    """The claims of an action token; times are seconds, `details` and `approvals` are read when their checks come.

    `auth_time`, `acr` and `amr` inform only; no check rests on them.
    """

    iss: str
    sub: str
    aud: str
    client_id: str
    iat: int
    exp: int
    jti: str
    txn: str
    jkt: str
    auth_time: int
    acr: str
    amr: tuple[str, ...]
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
            "txn": self.txn,
            "cnf": {"jkt": self.jkt},
            "auth_time": self.auth_time,
            "acr": self.acr,
            "amr": list(self.amr),
            "authorization_details": self.details,
            "approvals": self.approvals,
        }


def sign(token: ActionToken, key: SigningKey) -> str:
    """Sign an action token with the approval server's key."""
    return jws.sign(token.claims(), TYP, key)


def size(token: ActionToken, key: SigningKey) -> int:
    """Give the octets that a token takes once it is signed with this key."""
    header = canonical.encode({"alg": key.alg, "kid": key.public.kid, "typ": TYP})
    parts = (len(header), len(canonical.encode(token.claims())), _SIGNATURE)
    return sum(base64url.length(octets) for octets in parts) + 2


def parse(token: str) -> tuple[ActionToken, jws.Jws]:
    """Read a token's form without verifying it; refuses `token_malformed`, `token_typ`, `token_alg`."""
    parsed = jws.parse(token, TYP, FAULTS)
    reason = Reason.TOKEN_MALFORMED
    claims = form.closed(parsed.claims, reason, _MEMBERS)
    # One look at all texts and times together: this is the hottest path there is.
    texts: list[Any] = [claims[name] for name in _TEXTS]
    times: list[Any] = [claims[name] for name in _TIMES]
    for text, limit in zip(texts, _LIMITS, strict=True):
        if type(text) is not str or not 0 < len(text) <= limit:
            raise Refusal(reason, "a text is none, or not within its limit")
    for time in times:
        if type(time) is not int or time < 0:
            raise Refusal(reason, "a time is not a non-negative integer")
    iss, sub, aud, client_id, jti, txn, acr = texts
    iat, exp, auth_time = times
    jkt = form.digest(form.closed(claims["cnf"], reason, _CNF)["jkt"], reason)
    amr = form.texts(claims["amr"], reason, 8)
    details, approvals = claims["authorization_details"], claims["approvals"]
    found = ActionToken(iss, sub, aud, client_id, iat, exp, jti, txn, jkt, auth_time, acr, amr, details, approvals)
    return found, parsed


def parse_act(token: ActionToken) -> Act:
    """Read the one act of a token; refuses `act_malformed`."""
    return act.parse_details(token.details, Reason.ACT_MALFORMED)


def parse_approvals(token: ActionToken) -> tuple[Approval, ...]:
    """Read the approvals of a token, one to three; refuses `statement_malformed` or `assertion_malformed`."""
    listed = token.approvals
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_APPROVALS:
        raise Refusal(Reason.STATEMENT_MALFORMED, "not one to three approvals")
    return tuple([_approval(item) for item in listed])


def approvals_members(approvals: Sequence[Approval]) -> Json:
    """Give approvals as a token's claim."""
    return [item.members() for item in approvals]


def _approval(value: Json) -> Approval:
    members = form.closed(value, Reason.STATEMENT_MALFORMED, _APPROVAL)
    return Approval(approval.parse(members["statement"]), passkey.parse_assertion(members["webauthn"]))
