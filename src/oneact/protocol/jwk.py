"""Keys in the form of RFC 7517, for the two algorithms of every JWS: ES256 and EdDSA (Ed25519)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url, canonical, form

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json

ALGORITHMS: Final = ("ES256", "EdDSA")
MAX_KEYS: Final = 32
_HALF: Final = 32  # octets of a P-256 coordinate, of r and of s, and of an Ed25519 key
_SIGNATURE: Final = 64
_FINGERPRINT: Final = 20
_GROUP: Final = 4
_ES256: Final = ec.ECDSA(hashes.SHA256())
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True)
class PublicKey:
    """A public key and its algorithm; `thumbprint` is RFC 7638's, with SHA-256."""

    alg: str
    key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
    kid: str | None = None

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Tell whether `signature` (64 octets, RFC 7518 section 3.4 or RFC 8037) over `data` is this key's."""
        if len(signature) != _SIGNATURE:
            return False
        key: Any = self.key  # told apart by `alg`, since `isinstance` is slow for abstract classes
        try:
            if self.alg == "EdDSA":
                key.verify(signature, data)
            else:
                r, s = int.from_bytes(signature[:_HALF], "big"), int.from_bytes(signature[_HALF:], "big")
                key.verify(encode_dss_signature(r, s), data, _ES256)
        except InvalidSignature:
            return False
        return True

    @cached_property
    def members(self) -> dict[str, Json]:
        """Give the members that make up the key, and nothing else (RFC 7638 section 3.2)."""
        if isinstance(self.key, ed25519.Ed25519PublicKey):
            raw = self.key.public_bytes(Encoding.Raw, PublicFormat.Raw)
            return {"crv": "Ed25519", "kty": "OKP", "x": base64url.encode(raw)}
        point = self.key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        x, y = point[1 : 1 + _HALF], point[1 + _HALF :]
        return {"crv": "P-256", "kty": "EC", "x": base64url.encode(x), "y": base64url.encode(y)}

    @cached_property
    def thumbprint(self) -> str:
        """Give the thumbprint, 43 characters."""
        return canonical.digest(self.members)

    def public_jwk(self) -> dict[str, Json]:
        """Give the key as a member of a published JWK Set."""
        return {**self.members, "alg": self.alg, "kid": self.kid or self.thumbprint, "use": "sig"}


@dataclass(frozen=True)
class SigningKey:
    """A private key; `public` is its public half, whose `kid` is the thumbprint."""

    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

    @cached_property
    def public(self) -> PublicKey:
        """Give the public half."""
        bare = PublicKey(self.alg, self.key.public_key())
        return PublicKey(bare.alg, bare.key, bare.thumbprint)

    @property
    def alg(self) -> str:
        """Give the JWS algorithm, ES256 or EdDSA."""
        return "EdDSA" if isinstance(self.key, ed25519.Ed25519PrivateKey) else "ES256"

    def sign(self, data: bytes) -> bytes:
        """Sign `data` in the JWS form, 64 octets."""
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(data)
        r, s = decode_dss_signature(self.key.sign(data, _ES256))
        return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")

    def secret_octets(self) -> bytes:
        """Give the 32 octets of the private key, from which a service derives its offer key."""
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return self.key.private_numbers().private_value.to_bytes(_HALF, "big")

    def private_jwk(self) -> dict[str, Json]:
        """Give the private key for a file that only its owner reads."""
        return {**self.public.public_jwk(), "d": base64url.encode(self.secret_octets())}


def fingerprint(thumbprint: str) -> str:
    """Give what people compare: a thumbprint's first twenty characters, 120 bits, in groups of four."""
    return " ".join(thumbprint[index : index + _GROUP] for index in range(0, _FINGERPRINT, _GROUP))


def parse_public(value: Json, reason: Reason = Reason.KEY_MALFORMED) -> PublicKey:
    """Read a public JWK; a private member, a curve or a point that is not allowed is refused with `reason`."""
    if not isinstance(value, dict) or _PRIVATE & value.keys():
        raise Refusal(reason, "not an object of public members")
    kid = value.get("kid")
    return _public(
        form.text(value.get("kty"), reason, 8),
        form.text(value.get("crv"), reason, 16),
        form.text(value.get("x"), reason, 64),
        form.text(value["y"], reason, 64) if "y" in value else None,
        None if kid is None else form.text(kid, reason, 256),
        reason,
    )


def parse_private(value: Json) -> SigningKey:
    """Read a private JWK; the public members have to be those of the private one. Refuses `key_malformed`."""
    if not isinstance(value, dict):
        raise Refusal(Reason.KEY_MALFORMED, "not an object")
    secret = base64url.decode(form.text(value.get("d"), Reason.KEY_MALFORMED, 64), Reason.KEY_MALFORMED)
    try:
        if value.get("kty") == "OKP":
            signing = SigningKey(ed25519.Ed25519PrivateKey.from_private_bytes(secret))
        else:
            signing = SigningKey(ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1()))
    except ValueError as error:
        raise Refusal(Reason.KEY_MALFORMED, "not a private key") from error
    if any(value.get(name) != member for name, member in signing.public.members.items()):
        raise Refusal(Reason.KEY_MALFORMED, "public and private members differ")
    return signing


def parse_set(value: Json, reason: Reason = Reason.KEY_MALFORMED) -> dict[str, PublicKey]:
    """Read a JWK Set into its usable keys by `kid` (RFC 7517 section 5).

    Keys of other types, uses or algorithms are left out; over 32 keys or a `kid` given twice is refused.
    """
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise Refusal(reason, "not a JWK Set within its limit")
    found: dict[str, PublicKey] = {}
    for entry in keys:
        if not _usable(entry):
            continue
        key = parse_public(entry, reason)
        kid = key.kid or key.thumbprint
        if kid in found:
            raise Refusal(reason, "a kid is given twice")
        found[kid] = key
    return found


def _usable(entry: Json) -> bool:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return False
    kind = (entry.get("kty"), entry.get("crv"), entry.get("alg"))
    return (kind[:2] == ("EC", "P-256") and kind[2] in (None, "ES256")) or (
        kind[:2] == ("OKP", "Ed25519") and kind[2] in (None, "EdDSA", "Ed25519")
    )


@lru_cache(maxsize=1024)
def _public(kty: str, crv: str, x: str, y: str | None, kid: str | None, reason: Reason) -> PublicKey:
    try:
        if (kty, crv) == ("OKP", "Ed25519") and y is None:
            return PublicKey("EdDSA", ed25519.Ed25519PublicKey.from_public_bytes(_coordinate(x, reason)), kid)
        if (kty, crv) == ("EC", "P-256") and y is not None:
            point = b"\x04" + _coordinate(x, reason) + _coordinate(y, reason)
            return PublicKey("ES256", ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point), kid)
    except ValueError as error:
        raise Refusal(reason, "not a point of its curve") from error
    raise Refusal(reason, "not a key type that is allowed")


def _coordinate(text: str, reason: Reason) -> bytes:
    octets = base64url.decode(text, reason)
    if len(octets) != _HALF:
        raise Refusal(reason, "a coordinate is not 32 octets")
    return octets
