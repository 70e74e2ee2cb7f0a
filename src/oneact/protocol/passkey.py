"""Passkeys: the pinned credential and the verification of one assertion (WebAuthn Level 3, section 7.2)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url, canonical, form

if TYPE_CHECKING:
    from collections.abc import Collection

    from oneact.protocol.canonical import Json

ALGORITHMS: Final = ("ES256", "EdDSA", "RS256")
_ASSERTION: Final = frozenset({"credential_id", "authenticator_data", "client_data_json", "signature"})
_ES256: Final = ec.ECDSA(hashes.SHA256())
_MIN_RSA_BITS: Final = 2048
_MAX_RSA_BITS: Final = 4096
_HEAD: Final = 37  # RP ID hash, flags, signature counter
_UP, _UV, _AT, _ED = 0x01, 0x04, 0x40, 0x80
_MAX_ID: Final = 1364  # base64url of 1023 octets
_MAX_KEY: Final = 1024  # characters, for which an RSA key of 4,096 bits needs 734

PasskeyKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True)
class Credential:
    """A passkey's public half: `id` in base64url, `public_key` the SubjectPublicKeyInfo in base64url, its `alg`."""

    id: str
    public_key: str
    alg: str

    def members(self) -> dict[str, Json]:
        """Give the credential as it stands in a roster."""
        return {"id": self.id, "public_key": self.public_key, "alg": self.alg}


class Assertion(NamedTuple):
    """What a passkey gives for one gesture; octets, not yet verified."""

    credential_id: str
    authenticator_data: bytes
    client_data_json: bytes
    signature: bytes

    def members(self) -> dict[str, Json]:
        """Give the assertion as it stands on the wire."""
        return {
            "credential_id": self.credential_id,
            "authenticator_data": base64url.encode(self.authenticator_data),
            "client_data_json": base64url.encode(self.client_data_json),
            "signature": base64url.encode(self.signature),
        }


def parse_credential(value: Json, reason: Reason) -> Credential:
    """Read a credential whose key is one of the three algorithms; else refuse with `reason`."""
    members = form.closed(value, reason, {"id", "public_key", "alg"})
    found = Credential(
        form.text(members["id"], reason, _MAX_ID),
        form.text(members["public_key"], reason, _MAX_KEY),
        form.text(members["alg"], reason, 8),
    )
    base64url.decode(found.id, reason)
    load_key(found.public_key, found.alg, reason)
    return found


def parse_assertion(value: Json) -> Assertion:
    """Read an assertion whose members are exactly these; refuses `assertion_malformed`."""
    reason = Reason.ASSERTION_MALFORMED
    members = form.closed(value, reason, _ASSERTION)
    return Assertion(
        form.text(members["credential_id"], reason, _MAX_ID),
        base64url.decode(form.text(members["authenticator_data"], reason, 8192), reason),
        base64url.decode(form.text(members["client_data_json"], reason, 8192), reason),
        base64url.decode(form.text(members["signature"], reason), reason),
    )


def verify(assertion: Assertion, credential: Credential, challenge: bytes, rp_id: str, origins: Collection[str]) -> int:
    """Verify one assertion by `credential` over `challenge` (32 octets) and give its signature counter.

    User presence and user verification are always asked for. The counter informs only: it is never a reason.
    Refuses the `assertion_…` of what does not hold.
    """
    _check_client_data(assertion.client_data_json, base64url.encode(challenge), origins)
    counter = _check_authenticator_data(assertion.authenticator_data, rp_id)
    signed = assertion.authenticator_data + hashlib.sha256(assertion.client_data_json).digest()
    key = load_key(credential.public_key, credential.alg, Reason.ASSERTION_MALFORMED)
    if assertion.credential_id != credential.id or not _verifies(key, credential.alg, assertion.signature, signed):
        raise Refusal(Reason.ASSERTION_SIGNATURE, "the signature does not verify")
    return counter


@lru_cache(maxsize=4096)
def load_key(public_key: str, alg: str, reason: Reason) -> PasskeyKey:
    """Load a SubjectPublicKeyInfo in base64url as a key of `alg`; anything else is refused with `reason`."""
    try:
        key = load_der_public_key(base64url.decode(public_key, reason))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refusal(reason, "not a public key") from error
    if alg == "ES256" and isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    if alg == "EdDSA" and isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if alg == "RS256" and isinstance(key, rsa.RSAPublicKey) and _MIN_RSA_BITS <= key.key_size <= _MAX_RSA_BITS:
        return key
    raise Refusal(reason, f"not a key for {alg!r}")


def _verifies(key: Any, alg: str, signature: bytes, signed: bytes) -> bool:  # noqa: ANN401 - `load_key` matched them
    try:
        if alg == "ES256":
            key.verify(signature, signed, _ES256)
        elif alg == "EdDSA":
            key.verify(signature, signed)
        else:
            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _check_client_data(data: bytes, challenge: str, origins: Collection[str]) -> None:
    for origin in origins:
        # The limited verification of section 5.8.1.2: the octets that a browser of today writes, compared whole.
        if (
            data
            == f'{{"type":"webauthn.get","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}'.encode()
        ):
            return
    try:
        members = canonical.parse(data)
    except Refusal as refusal:
        raise Refusal(Reason.ASSERTION_MALFORMED, refusal.detail) from refusal
    if not isinstance(members, dict):
        raise Refusal(Reason.ASSERTION_MALFORMED, "client data is not an object")
    if members.get("type") != "webauthn.get":
        raise Refusal(Reason.ASSERTION_TYPE, "type")
    if members.get("challenge") != challenge:
        raise Refusal(Reason.ASSERTION_CHALLENGE, "challenge")
    said = members.get("origin")
    if not isinstance(said, str) or said not in origins:
        raise Refusal(Reason.ASSERTION_ORIGIN, "origin")
    if members.get("crossOrigin", False) is not False or "topOrigin" in members:
        raise Refusal(Reason.ASSERTION_CROSS_ORIGIN, "crossOrigin or topOrigin")


def _check_authenticator_data(data: bytes, rp_id: str) -> int:
    if len(data) < _HEAD:
        raise Refusal(Reason.ASSERTION_MALFORMED, "authenticator data is too short")
    flags = data[32]
    if flags & _AT or bool(flags & _ED) != (len(data) > _HEAD):
        raise Refusal(Reason.ASSERTION_MALFORMED, "authenticator data has parts that its flags do not name")
    if data[:32] != _rp_id_hash(rp_id):
        raise Refusal(Reason.ASSERTION_RP_ID, "RP ID hash")
    if not flags & _UP:
        raise Refusal(Reason.ASSERTION_UP, "user presence")
    if not flags & _UV:
        raise Refusal(Reason.ASSERTION_UV, "user verification")
    return int.from_bytes(data[33:37], "big")


@lru_cache(maxsize=64)
def _rp_id_hash(rp_id: str) -> bytes:
    return hashlib.sha256(rp_id.encode()).digest()
