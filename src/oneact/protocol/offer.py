"""The offer: an act signed by the service as the thing to be approved (draft-rosomakho-oauth-txn-challenge-00, 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import act, form, jws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.act import Act
    from oneact.protocol.action import Action
    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey, SigningKey

TYP: Final = "txn-authz-challenge+jwt"
LIFETIME: Final = 600
LEEWAY: Final = 5
FAULTS: Final = jws.Faults(
    Reason.OFFER_MALFORMED, Reason.OFFER_TYP, Reason.OFFER_ALG, Reason.OFFER_KEY, Reason.OFFER_SIGNATURE
)
_REQUIRED: Final = frozenset({"iss", "aud", "iat", "exp", "jti", "txn", "authorization_details", "reason"})
_HOLDER: Final = frozenset({"sub", "cnf"})


@dataclass(frozen=True, slots=True)
class Offer:
    """The claims of an offer; `iss` is the service, `aud` the approval server, times are seconds.

    `sub` and `jkt` are both given where the offer names the person and the agent's key, else both None.
    """

    iss: str
    aud: str
    iat: int
    exp: int
    jti: str
    txn: str
    act: Act
    reason: str
    sub: str | None = None
    jkt: str | None = None

    def claims(self) -> dict[str, Json]:
        """Give the claims as they are signed."""
        claims: dict[str, Json] = {
            "iss": self.iss,
            "aud": self.aud,
            "iat": self.iat,
            "exp": self.exp,
            "jti": self.jti,
            "txn": self.txn,
            "authorization_details": self.act.details(),
            "reason": self.reason,
        }
        if self.sub is not None and self.jkt is not None:
            claims |= {"sub": self.sub, "cnf": {"jkt": self.jkt}}
        return claims


def sign(offer: Offer, key: SigningKey) -> str:
    """Sign an offer with the service's key."""
    return jws.sign(offer.claims(), TYP, key)


def parse(text: str) -> tuple[Offer, jws.Jws]:
    """Read an offer without verifying it, so that its issuer can be looked up; refuses the `offer_…` of its form."""
    parsed = jws.parse(text, TYP, FAULTS)
    reason = Reason.OFFER_MALFORMED
    optional = _HOLDER if _HOLDER & parsed.claims.keys() else frozenset[str]()
    claims = form.closed(parsed.claims, reason, _REQUIRED | optional)
    offered = act.parse_details(claims["authorization_details"], Reason.OFFER_ACT)
    issuer = form.text(claims["iss"], reason)
    if offered.parameters is None or offered.location != issuer:
        raise Refusal(Reason.OFFER_ACT, "parameters are not whole, or the act is at another service")
    cnf = form.closed(claims["cnf"], reason, {"jkt"}) if optional else None
    return Offer(
        iss=issuer,
        aud=form.text(claims["aud"], reason),
        iat=form.integer(claims["iat"], reason),
        exp=form.integer(claims["exp"], reason),
        jti=form.text(claims["jti"], reason, 128),
        txn=form.text(claims["txn"], reason, 128),
        act=offered,
        reason=form.text(claims["reason"], reason),
        sub=form.text(claims["sub"], reason, 255) if optional else None,
        jkt=form.digest(cnf["jkt"], reason) if cnf else None,
    ), parsed


def check(offer: Offer, parsed: jws.Jws, keys: Mapping[str, PublicKey], audience: str, now: int) -> None:
    """Refuse an offer that is not signed by one of the service's `keys`, not for `audience`, or not of this time."""
    jws.verify_with(parsed, keys, FAULTS)
    if offer.aud != audience:
        raise Refusal(Reason.OFFER_AUDIENCE, f"aud {offer.aud!r}")
    if offer.iat > now + LEEWAY or not 0 < offer.exp - offer.iat <= LIFETIME:
        raise Refusal(Reason.OFFER_TIME, f"iat {offer.iat}, exp {offer.exp}")
    if now >= offer.exp:
        raise Refusal(Reason.OFFER_EXPIRED, f"exp {offer.exp}")


def check_holder(offer: Offer, sub: str, jkt: str) -> None:
    """Refuse an offer that names another person than `sub`, or another agent's key than `jkt`; it may name neither."""
    if offer.sub is not None and (offer.sub, offer.jkt) != (sub, jkt):
        raise Refusal(Reason.OFFER_SUBJECT, "sub or jkt")


def check_action(offer: Offer, published: Action) -> None:
    """Refuse an offer that is not for the `published` action, or whose terms that action does not take or lacks."""
    offered = offer.act
    if (offered.action, offered.action_digest) != (published.name, published.digest):
        raise Refusal(Reason.OFFER_ACTION, "another action's name or digest")
    if (offered.terms is None) != (published.terms is None):
        raise Refusal(Reason.OFFER_ACTION, "terms where the action has none, or none where it has")
