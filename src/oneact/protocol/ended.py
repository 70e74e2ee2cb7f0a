"""The end of a request without a token, in the approval server's signed word: denied, expired or cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Refusal
from oneact.protocol import form, jws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey, SigningKey

TYP: Final = "oneact-ended+jwt"
STATUSES: Final = ("denied", "expired", "cancelled")
MAX_MESSAGE: Final = 300
FAULTS: Final = jws.PLAIN
_REQUIRED: Final = frozenset({"iss", "aud", "sub", "resource", "txn", "status", "iat"})
_OPTIONAL: Final = frozenset({"message"})


@dataclass(frozen=True, slots=True)
class Ended:
    """The claims of an end: `iss` the approval server, `aud` the agent's client_id, `resource` the service.

    `sub` is the account's name at the service, `message` what the person said, empty where they said nothing.
    """

    iss: str
    aud: str
    sub: str
    resource: str
    txn: str
    status: str
    iat: int
    message: str = ""

    def claims(self) -> dict[str, Json]:
        """Give the claims as they are signed."""
        claims: dict[str, Json] = {
            "iss": self.iss,
            "aud": self.aud,
            "sub": self.sub,
            "resource": self.resource,
            "txn": self.txn,
            "status": self.status,
            "iat": self.iat,
        }
        if self.message:
            claims["message"] = self.message
        return claims


def sign(ended: Ended, key: SigningKey) -> str:
    """Sign an end with the approval server's key."""
    return jws.sign(ended.claims(), TYP, key)


def parse(text: str) -> tuple[Ended, jws.Jws]:
    """Read an end without verifying it; refuses `jws_malformed`, `jws_typ`, `jws_alg`."""
    parsed = jws.parse(text, TYP, FAULTS)
    reason = FAULTS.malformed
    claims = form.closed(parsed.claims, reason, _REQUIRED, _OPTIONAL)
    if claims["status"] not in STATUSES:
        raise Refusal(reason, "status")
    return Ended(
        iss=form.text(claims["iss"], reason),
        aud=form.text(claims["aud"], reason),
        sub=form.text(claims["sub"], reason, 255),
        resource=form.text(claims["resource"], reason),
        txn=form.text(claims["txn"], reason, 128),
        status=str(claims["status"]),
        iat=form.integer(claims["iat"], reason),
        message=form.text(claims["message"], reason, MAX_MESSAGE) if "message" in claims else "",
    ), parsed


def check(text: str, keys: Mapping[str, PublicKey]) -> Ended:
    """Read an end and verify it with the server's keys; whether it is of this request is the caller's to compare."""
    found, parsed = parse(text)
    jws.verify_with(parsed, keys, FAULTS)
    return found
