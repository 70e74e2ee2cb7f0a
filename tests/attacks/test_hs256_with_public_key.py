"""The public key is used as the secret of a symmetric signature."""

import hmac
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oneact.protocol import base64url, canonical, jwk
from tests.attacks.played import played, vector

NAME = "HS256 with the public key"


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", NAME, "token_alg"),
        ("check", "a proof by HS256", "proof_alg"),
        ("token", NAME, "token_alg"),
        ("offer", NAME, "offer_alg"),
        ("receipt", NAME, "receipt_alg"),
        ("ended", NAME, "jws_alg"),
        ("proof", NAME, "proof_alg"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason


def test_the_symmetric_signatures_are_real() -> None:
    """A verifier that let the header choose would find them good."""
    request, service = (vector(NAME, "check")[name] for name in ("request", "service"))
    assert is_hmac(request["authorization"][0].partition(" ")[2], service["issuers"]["https://approve.example"])
    for kind in ("token", "offer", "receipt", "ended"):
        found = vector(NAME, kind)
        assert is_hmac(found[kind], found["jwks"])
    for text in (vector(NAME, "proof")["proof"], vector("a proof by HS256", "check")["request"]["dpop"][0]):
        assert is_hmac(text, {"keys": [header(text)["jwk"]]})


def is_hmac(text: str, keys: Any) -> bool:
    head = header(text)
    found = jwk.parse_set(keys)
    key = found[head["kid"]] if "kid" in head else next(iter(found.values()))
    secret = key.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed, _, signature = text.rpartition(".")
    return head["alg"] == "HS256" and hmac.digest(secret, signed.encode(), "sha256") == base64url.decode(signature)


def header(text: str) -> dict[str, Any]:
    found: Any = canonical.parse(base64url.decode(text.partition(".")[0]))
    return dict(found)
