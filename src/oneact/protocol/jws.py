"""Compact JWS (RFC 7515) with two algorithms, an explicit type and nothing optional."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url, canonical, jwk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey, SigningKey

MAX_HEADER: Final = 1024  # characters of a header in base64url
MAX_KID: Final = 256
_PARTS: Final = 3
_FORBIDDEN: Final = frozenset({"crit", "b64", "zip", "enc", "jku", "x5u"})


@dataclass(frozen=True, slots=True)
class Faults:
    """The reasons that one kind of signed object gives, in the order in which they are looked for."""

    malformed: Reason
    typ: Reason
    alg: Reason
    key: Reason
    signature: Reason


PLAIN: Final = Faults(Reason.JWS_MALFORMED, Reason.JWS_TYP, Reason.JWS_ALG, Reason.KEY_MALFORMED, Reason.JWS_SIGNATURE)


@dataclass(frozen=True, slots=True)
class Header:
    """A protected header: `jwk` is the embedded key of a DPoP proof, read and checked."""

    alg: str
    typ: str
    kid: str | None
    jwk: PublicKey | None


class Jws(NamedTuple):
    """A compact JWS taken apart; nothing in it is verified yet."""

    header: Header
    claims: dict[str, Json]
    signing_input: bytes
    signature: bytes


def parse(text: str, typ: str, faults: Faults) -> Jws:
    """Take a compact JWS apart whose header says `typ` and whose payload is a JSON object (RFC 7515 section 7.1).

    A header has at most 1,024 characters, of which the `kid` at most 256: headers are kept, whoever sent them. How
    long the whole may be is the caller's to say.
    """
    parts = text.split(".")
    if len(parts) != _PARTS or len(parts[0]) > MAX_HEADER or not text.isascii():
        raise Refusal(faults.malformed, "not three parts, or a header over its limit")
    try:
        header = _header(parts[0])
    except Refusal as refusal:
        key_at_fault = refusal.reason is Reason.KEY_MALFORMED
        raise Refusal(faults.key if key_at_fault else faults.malformed, refusal.detail) from refusal
    if header.typ != typ:
        raise Refusal(faults.typ, f"typ {header.typ!r}")
    if header.alg not in jwk.ALGORITHMS:
        raise Refusal(faults.alg, f"alg {header.alg!r}")
    try:
        claims = canonical.parse(base64url.decode(parts[1]))
        signature = base64url.decode(parts[2])
    except Refusal as refusal:
        raise Refusal(faults.malformed, refusal.detail) from refusal
    if not isinstance(claims, dict):
        raise Refusal(faults.malformed, "the payload is not an object")
    return Jws(header, claims, text[: len(parts[0]) + len(parts[1]) + 1].encode("ascii"), signature)


def verify(jws: Jws, key: PublicKey, faults: Faults) -> None:
    """Verify with this key; the algorithm is the key's own, and the header has to say the same."""
    if jws.header.alg != key.alg:
        raise Refusal(faults.alg, f"alg {jws.header.alg!r} with a key for {key.alg}")
    if not key.verify(jws.signature, jws.signing_input):
        raise Refusal(faults.signature, "the signature does not verify")


def verify_with(jws: Jws, keys: Mapping[str, PublicKey], faults: Faults) -> None:
    """Verify with the key of the set that the header's `kid` names; no `kid` or an unknown one is refused."""
    key = keys.get(jws.header.kid) if jws.header.kid is not None else None
    if key is None:
        raise Refusal(faults.key, f"kid {jws.header.kid!r}")
    verify(jws, key, faults)


def sign(claims: Mapping[str, Json], typ: str, key: SigningKey, *, embed: bool = False) -> str:
    """Sign claims as a compact JWS; `embed` puts the public key itself in the header, as a DPoP proof has it."""
    header: dict[str, Json] = {"alg": key.alg, "typ": typ}
    if embed:
        header["jwk"] = key.public.members
    else:
        header["kid"] = key.public.kid
    signed = base64url.encode(canonical.encode(header)) + "." + base64url.encode(canonical.encode(dict(claims)))
    return signed + "." + base64url.encode(key.sign(signed.encode("ascii")))


@lru_cache(maxsize=4096)
def _header(segment: str) -> Header:
    value = canonical.parse(base64url.decode(segment))
    if not isinstance(value, dict) or _FORBIDDEN & value.keys():
        raise Refusal(Reason.JWS_MALFORMED, "not a header that is understood whole")
    alg, typ, kid = value.get("alg"), value.get("typ"), value.get("kid")
    if not isinstance(alg, str) or not isinstance(typ, str) or not (kid is None or isinstance(kid, str)):
        raise Refusal(Reason.JWS_MALFORMED, "alg, typ or kid is not a text")
    if kid is not None and len(kid) > MAX_KID:
        raise Refusal(Reason.JWS_MALFORMED, "kid is longer than 256 characters")
    return Header(alg, typ, kid, jwk.parse_public(value["jwk"]) if "jwk" in value else None)
