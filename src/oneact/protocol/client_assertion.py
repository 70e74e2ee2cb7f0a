"""Client authentication by a signed assertion, `private_key_jwt` (RFC 7523 section 3, OpenID Connect Core 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import form, jws

if TYPE_CHECKING:
    from collections.abc import Collection

    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey, SigningKey

TYP: Final = "client-authentication+jwt"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_OCTETS: Final = 4 * 1024
LIFETIME: Final = 60
LEEWAY: Final = 5
_MAX_LIFETIME: Final = 300
_MAX_JTI: Final = 128
FAULTS: Final = jws.Faults(*[Reason.CLIENT_ASSERTION] * 5)


@dataclass(frozen=True, slots=True)
class ClientAssertion:
    """A client assertion taken apart; nothing in it is verified yet. `jti` is to be seen once until `exp`."""

    client_id: str
    aud: str
    iat: int
    exp: int
    jti: str
    parsed: jws.Jws


def build(key: SigningKey, client_id: str, audience: str, now: int, jti: str) -> str:
    """Make an assertion for the approval server whose issuer is `audience`, good for 60 seconds."""
    claims: dict[str, Json] = {
        "iss": client_id, "sub": client_id, "aud": audience, "iat": now, "exp": now + LIFETIME, "jti": jti,
    }  # fmt: skip
    return jws.sign(claims, TYP, key)


def parse(text: str) -> ClientAssertion:
    """Read an assertion of at most 4 KiB so that its client can be looked up; refuses `client_assertion`."""
    if len(text) > MAX_OCTETS:
        raise Refusal(Reason.CLIENT_ASSERTION, f"{len(text)} octets")
    parsed = jws.parse(text, TYP, FAULTS)
    reason = Reason.CLIENT_ASSERTION
    claims = form.closed(parsed.claims, reason, {"iss", "sub", "aud", "iat", "exp", "jti"})
    if claims["iss"] != claims["sub"]:
        raise Refusal(reason, "iss and sub differ")
    return ClientAssertion(
        form.text(claims["sub"], reason),
        form.text(claims["aud"], reason),
        form.integer(claims["iat"], reason),
        form.integer(claims["exp"], reason),
        form.text(claims["jti"], reason, _MAX_JTI),
        parsed,
    )


def check(found: ClientAssertion, keys: Collection[PublicKey], audience: str, now: int) -> None:
    """Refuse an assertion that none of the client's `keys` signed, or that is for another server or another time."""
    if found.aud != audience:
        raise Refusal(Reason.CLIENT_ASSERTION, f"aud {found.aud!r}")
    if found.iat > now + LEEWAY or now >= found.exp or not 0 < found.exp - found.iat <= _MAX_LIFETIME:
        raise Refusal(Reason.CLIENT_ASSERTION, f"iat {found.iat}, exp {found.exp} at {now}")
    signed, signature, alg = found.parsed.signing_input, found.parsed.signature, found.parsed.header.alg
    if not any(key.alg == alg and key.verify(signature, signed) for key in keys):
        raise Refusal(Reason.CLIENT_ASSERTION, "the signature does not verify")
