"""DPoP proofs (RFC 9449), as agents make them and servers and services check them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, form, jws

if TYPE_CHECKING:
    from collections.abc import Collection

    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey, SigningKey

TYP: Final = "dpop+jwt"
MAX_OCTETS: Final = 2 * 1024
MAX_AGE: Final = 60
LEEWAY: Final = 5
FAULTS: Final = jws.Faults(
    Reason.PROOF_MALFORMED, Reason.PROOF_TYP, Reason.PROOF_ALG, Reason.PROOF_KEY, Reason.PROOF_SIGNATURE
)
_REQUIRED: Final = frozenset({"jti", "htm", "htu", "iat"})
_MAX_JTI: Final = 128


class Proof(NamedTuple):
    """A proof whose signature verifies; `jkt` is the thumbprint of its key, `jti` is yet to be seen only once."""

    jkt: str
    jti: str
    iat: int


def build(  # noqa: PLR0913 - the claims of a proof
    key: SigningKey, htm: str, htu: str, iat: int, jti: str, *, token: str | None = None, nonce: str | None = None
) -> str:
    """Make a proof for one request: `htu` is the URI without query and fragment, `token` the access token with it."""
    claims: dict[str, Json] = {"jti": jti, "htm": htm, "htu": htu.partition("#")[0].partition("?")[0], "iat": iat}
    if token is not None:
        claims["ath"] = canonical.sha256(token.encode("ascii"))
    if nonce is not None:
        claims["nonce"] = nonce
    return jws.sign(claims, TYP, key, embed=True)


def check(
    text: str, htm: str, htu: str, now: int, *, token: str | None = None, nonces: Collection[str] | None = None
) -> Proof:
    """Check a proof for this method and URI; with `token` its `ath`, with `nonces` that it holds one of them.

    Where nonces are asked for, they stand in place of the time window of -60 to +5 seconds. That `jti` is new and that
    the key is the expected one is left to the caller. Refuses the `proof_…` of what does not hold.
    """
    return check_parsed(parse(text), htm, htu, now, token=token, nonces=nonces)


def parse(text: str) -> tuple[jws.Jws, PublicKey]:
    """Take a proof apart without verifying it; give it with the key in its header."""
    parsed = jws.parse(text, TYP, FAULTS)
    if parsed.header.jwk is None:
        raise Refusal(Reason.PROOF_KEY, "no key in the header")
    return parsed, parsed.header.jwk


def check_parsed(
    taken: tuple[jws.Jws, PublicKey],
    htm: str,
    htu: str,
    now: int,
    *,
    token: str | None = None,
    nonces: Collection[str] | None = None,
) -> Proof:
    """Check a proof that `parse` has taken apart, as `check` does."""
    parsed, key = taken
    jws.verify(parsed, key, FAULTS)
    claims, reason = parsed.claims, Reason.PROOF_MALFORMED
    if not claims.keys() >= _REQUIRED:
        raise Refusal(reason, "a claim is missing")
    proof = Proof(key.thumbprint, form.text(claims["jti"], reason, _MAX_JTI), form.integer(claims["iat"], reason))
    if claims["htm"] != htm:
        raise Refusal(Reason.PROOF_HTM, f"htm {claims['htm']!r}")
    if claims["htu"] != htu:
        raise Refusal(Reason.PROOF_HTU, f"htu {claims['htu']!r}")
    if token is not None and claims.get("ath") != canonical.sha256(token.encode("ascii")):
        raise Refusal(Reason.PROOF_ATH, "ath")
    if nonces is not None and claims.get("nonce") not in nonces:
        raise Refusal(Reason.PROOF_NONCE, "nonce")
    if nonces is None and not now - MAX_AGE <= proof.iat <= now + LEEWAY:
        raise Refusal(Reason.PROOF_IAT, f"iat {proof.iat} at {now}")
    return proof
