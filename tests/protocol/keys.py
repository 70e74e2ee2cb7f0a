"""Fixed keys: derived from small integers, so that a test's values can be read again tomorrow."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from oneact.protocol import base64url, canonical
from oneact.protocol.jwk import SigningKey

AGENT = SigningKey(ec.derive_private_key(11, ec.SECP256R1()))
SERVER = SigningKey(ec.derive_private_key(12, ec.SECP256R1()))
SERVICE = SigningKey(ec.derive_private_key(13, ec.SECP256R1()))
OTHER = SigningKey(ec.derive_private_key(14, ec.SECP256R1()))
EDWARDS = SigningKey(ed25519.Ed25519PrivateKey.from_private_bytes(bytes([15]) * 32))


def signed(header: Any, claims: Any, key: SigningKey) -> str:
    """Sign any header and payload, allowed or not."""
    parts = [base64url.encode(canonical.encode(part)) for part in (header, claims)]
    text = ".".join(parts)
    return text + "." + base64url.encode(key.sign(text.encode()))


def header(typ: str, key: SigningKey, **changes: Any) -> dict[str, Any]:
    """Give the header that the key's own signatures have, with changes; None drops a member."""
    members = {"alg": key.alg, "typ": typ, "kid": key.public.thumbprint, **changes}
    return {name: value for name, value in members.items() if value is not None}
