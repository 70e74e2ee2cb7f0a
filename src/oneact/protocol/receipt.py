"""The receipt: the service's signed word on what became of an act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, form, jws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey, SigningKey

TYP: Final = "oneact-receipt+jwt"
MAX_OCTETS: Final = 8 * 1024
STATUSES: Final = ("executed", "failed", "unknown")
FAULTS: Final = jws.Faults(
    Reason.RECEIPT_MALFORMED, Reason.RECEIPT_TYP, Reason.RECEIPT_ALG, Reason.RECEIPT_KEY, Reason.RECEIPT_SIGNATURE
)
_REQUIRED: Final = frozenset({"iss", "aud", "sub", "txn", "jti", "act_digest", "iat", "status"})
_OPTIONAL: Final = frozenset({"result_digest"})
_RESULT_TAG: Final = b"oneact-result-1\n"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The claims of a receipt: `iss` the service, `aud` the approval server, `jti` the token's own identifier.

    `iat` is the second in which the outcome was known, `status` is `executed`, `failed` or `unknown`. `result_digest`
    covers the answer's octets together with a salt that the answer carries, so that it tells nothing by itself.
    """

    iss: str
    aud: str
    sub: str
    txn: str
    jti: str
    act_digest: str
    iat: int
    status: str
    result_digest: str | None = None

    def claims(self) -> dict[str, Json]:
        """Give the claims as they are signed."""
        claims: dict[str, Json] = {
            "iss": self.iss,
            "aud": self.aud,
            "sub": self.sub,
            "txn": self.txn,
            "jti": self.jti,
            "act_digest": self.act_digest,
            "iat": self.iat,
            "status": self.status,
        }
        if self.result_digest is not None:
            claims["result_digest"] = self.result_digest
        return claims


def sign(receipt: Receipt, key: SigningKey) -> str:
    """Sign a receipt with the service's key."""
    return jws.sign(receipt.claims(), TYP, key)


def parse(text: str) -> tuple[Receipt, jws.Jws]:
    """Read a receipt of at most 8 KiB without verifying it, so that its issuer can be looked up."""
    reason = Reason.RECEIPT_MALFORMED
    if len(text) > MAX_OCTETS:
        raise Refusal(reason, f"{len(text)} octets")
    parsed = jws.parse(text, TYP, FAULTS)
    claims = form.closed(parsed.claims, reason, _REQUIRED, _OPTIONAL)
    if claims["status"] not in STATUSES:
        raise Refusal(reason, "status")
    return Receipt(
        iss=form.text(claims["iss"], reason),
        aud=form.text(claims["aud"], reason),
        sub=form.text(claims["sub"], reason, 255),
        txn=form.text(claims["txn"], reason, 128),
        jti=form.text(claims["jti"], reason, 128),
        act_digest=form.digest(claims["act_digest"], reason),
        iat=form.integer(claims["iat"], reason),
        status=str(claims["status"]),
        result_digest=form.digest(claims["result_digest"], reason) if "result_digest" in claims else None,
    ), parsed


def check(text: str, keys: Mapping[str, PublicKey]) -> Receipt:
    """Read a receipt and verify it with the service's keys; whether it is for this act is the caller's to compare."""
    found, parsed = parse(text)
    jws.verify_with(parsed, keys, FAULTS)
    return found


def check_for(receipt: Receipt, issuer: str, jti: str, act_digest: str) -> None:
    """Refuse a receipt that is not for the token `jti`, issued by the server `issuer` for the act of this digest."""
    if (receipt.aud, receipt.jti, receipt.act_digest) != (issuer, jti, act_digest):
        raise Refusal(Reason.RECEIPT_MISMATCH, "another server, token or act")


def result_digest(salt: bytes, body: bytes) -> str:
    """Give the digest of an answer's octets under a salt of 16 octets."""
    return canonical.sha256(_RESULT_TAG + salt + body)
