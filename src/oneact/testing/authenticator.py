"""A software authenticator: a passkey without hardware, for tests of services, servers and agents."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oneact.fetch import LOCAL_NAMES
from oneact.protocol import base64url, canonical
from oneact.protocol.passkey import Assertion, Credential

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json

_UP, _UV, _AT = 0x01, 0x04, 0x40
_COSE_ALG = {"ES256": -7, "EdDSA": -8, "RS256": -257}

PasskeyPrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def _generate(alg: str) -> PasskeyPrivateKey:
    if alg == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if alg == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class SoftwarePasskey:
    """One passkey of `alg` (ES256, EdDSA or RS256) for an RP ID and an origin.

    Both have to be on localhost, or ValueError is raised: nothing of this may ever stand before real accounts.
    `user_verified` and `user_present` set the flags of what it signs; every other member can be set to what an
    attacker would send. `allow_foreign_origin_for_vectors` is for the specification's own vectors, whose keys are
    nobody's.
    """

    rp_id: str
    origin: str
    alg: str = "ES256"
    user_verified: bool = True
    user_present: bool = True
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: PasskeyPrivateKey | None = None
    counter: int = 0
    allow_foreign_origin_for_vectors: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        """Refuse to stand anywhere but on localhost, and make the key pair where none was given."""
        self._refuse_foreign(self.rp_id, urlsplit(self.origin).hostname)
        if self.key is None:
            self.key = _generate(self.alg)

    @property
    def private_key(self) -> PasskeyPrivateKey:
        """Give the private key."""
        if self.key is None:
            raise ValueError("the passkey has no key")
        return self.key

    @property
    def id(self) -> str:
        """Give the credential id in base64url."""
        return base64url.encode(self.credential_id)

    @property
    def credential(self) -> Credential:
        """Give the public half as a roster lists it."""
        spki = self.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return Credential(self.id, base64url.encode(spki), self.alg)

    def client_data(self, kind: str, challenge: bytes, /, **changes: Json) -> bytes:
        """Give client data in the order a browser writes it; `changes` replace or add members (None drops one)."""
        members: dict[str, Any] = {
            "type": kind,
            "challenge": base64url.encode(challenge),
            "origin": self.origin,
            "crossOrigin": False,
        }
        members |= changes
        return _plain_json({name: value for name, value in members.items() if value is not None})

    def authenticator_data(self, attested: bytes = b"") -> bytes:
        """Give authenticator data with this passkey's flags and the next counter."""
        self._refuse_foreign(self.rp_id)
        self.counter += 1
        flags = self.user_present * _UP | self.user_verified * _UV | (_AT if attested else 0)
        head = hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")
        return head + attested

    def get(self, challenge: bytes, /, **client_data: Json) -> Assertion:
        """Answer `navigator.credentials.get` for a challenge of 32 octets."""
        data = self.client_data("webauthn.get", challenge, **client_data)
        return self.sign(self.authenticator_data(), data)

    def sign(self, authenticator_data: bytes, client_data_json: bytes) -> Assertion:
        """Sign these octets, whatever they say."""
        signed = authenticator_data + hashlib.sha256(client_data_json).digest()
        key = self.private_key
        if isinstance(key, ec.EllipticCurvePrivateKey):
            signature = key.sign(signed, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, ed25519.Ed25519PrivateKey):
            signature = key.sign(signed)
        else:
            signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return Assertion(self.id, authenticator_data, client_data_json, signature)

    def get_json(self, challenge: bytes) -> dict[str, Any]:
        """Answer a get in the form of `PublicKeyCredential.toJSON()`, as a page posts it."""
        found = self.get(challenge)
        return {
            "id": self.id,
            "rawId": self.id,
            "type": "public-key",
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": base64url.encode(found.client_data_json),
                "authenticatorData": base64url.encode(found.authenticator_data),
                "signature": base64url.encode(found.signature),
                "userHandle": None,
            },
        }

    def create_json(self, challenge: bytes) -> dict[str, Any]:
        """Answer `navigator.credentials.create` in the form of `toJSON()`, with attestation `none`."""
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + self._cose_key()
        attestation = _cbor({"fmt": "none", "attStmt": {}, "authData": self.authenticator_data(attested)})
        return {
            "id": self.id,
            "rawId": self.id,
            "type": "public-key",
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": base64url.encode(self.client_data("webauthn.create", challenge)),
                "attestationObject": base64url.encode(attestation),
                "transports": ["internal"],
            },
        }

    def _refuse_foreign(self, *hosts: str | None) -> None:
        if not self.allow_foreign_origin_for_vectors and not LOCAL_NAMES.issuperset(hosts):
            raise ValueError("oneact.testing runs on localhost only")

    def _cose_key(self) -> bytes:
        public = self.private_key.public_key()
        if isinstance(public, ec.EllipticCurvePublicKey):
            point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            return _cbor({1: 2, 3: _COSE_ALG["ES256"], -1: 1, -2: point[1:33], -3: point[33:]})
        if isinstance(public, ed25519.Ed25519PublicKey):
            raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
            return _cbor({1: 1, 3: _COSE_ALG["EdDSA"], -1: 6, -2: raw})
        numbers = public.public_numbers()
        modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
        return _cbor({1: 3, 3: _COSE_ALG["RS256"], -1: modulus, -2: numbers.e.to_bytes(3, "big")})


def _plain_json(members: dict[str, Any]) -> bytes:
    inner = ",".join(f"{_scalar(name)}:{_scalar(value)}" for name, value in members.items())
    return ("{" + inner + "}").encode()


def _scalar(value: Json) -> str:
    return canonical.encode(value).decode()


def _cbor(value: int | bytes | str | dict[Any, Any]) -> bytes:
    """Encode the few kinds of CBOR that a registration needs (RFC 8949)."""
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    return _head(5, len(value)) + b"".join(_cbor(name) + _cbor(member) for name, member in value.items())


def _head(major: int, argument: int) -> bytes:
    if argument < 24:  # noqa: PLR2004 - the argument sits in the first octet below 24 (RFC 8949 section 3)
        return bytes([major << 5 | argument])
    if argument < 256:  # noqa: PLR2004 - one octet more
        return bytes([major << 5 | 24, argument])
    return bytes([major << 5 | 25]) + argument.to_bytes(2, "big")
