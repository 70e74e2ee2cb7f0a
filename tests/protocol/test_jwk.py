from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey

from oneact.errors import Reason
from oneact.protocol import base64url, canonical, jwk
from tests.protocol.keys import AGENT, EDWARDS, OTHER
from tests.protocol.refusing import expect_refusal

_KEYS = [AGENT, EDWARDS]
# RFC 8037 appendix A.1 and A.3.
_RFC_8037: dict[str, Any] = {
    "kty": "OKP",
    "crv": "Ed25519",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
# RFC 9449 section 4.2: the key of the example proof.
_RFC_9449: dict[str, Any] = {
    "kty": "EC",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    "crv": "P-256",
}


def _public(**changes: Any) -> dict[str, Any]:
    members = AGENT.public.public_jwk() | changes
    return {name: value for name, value in members.items() if value is not None}


def test_the_published_thumbprints_hold() -> None:
    assert jwk.parse_public(_RFC_9449).thumbprint == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    assert jwk.parse_private(_RFC_8037).public.thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_thumbprint_of_rfc_7638_is_the_digest_of_the_required_members() -> None:
    # RFC 7638 section 3.1, whose key is RSA: the canonical form and the hash are the same.
    members: dict[str, canonical.Json] = {
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi"
        "FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0"
        "zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csF"
        "Cur-kEgU8awapJzKnqDKgw",
        "e": "AQAB",
    }
    assert canonical.digest(members) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize("key", _KEYS)
def test_thumbprints_are_those_of_joserfc(key: jwk.SigningKey) -> None:
    foreign: Any = {"ES256": ECKey, "EdDSA": OKPKey}[key.alg]
    assert foreign.import_key(dict(key.public.members)).thumbprint() == key.public.thumbprint


@given(st.integers(1, 2**255))
def test_every_p256_thumbprint_is_that_of_joserfc(secret: int) -> None:
    key = jwk.SigningKey(ec.derive_private_key(secret, ec.SECP256R1()))
    assert ECKey.import_key(dict(key.public.members)).thumbprint() == key.public.thumbprint  # type: ignore[arg-type]


@pytest.mark.parametrize("key", _KEYS)
def test_a_key_is_read_back_from_what_it_publishes(key: jwk.SigningKey) -> None:
    published = key.public.public_jwk()
    read = jwk.parse_public(published)
    assert read.public_jwk() == published
    assert (read.kid, read.alg) == (key.public.thumbprint, key.alg)
    private = jwk.parse_private(key.private_jwk())
    assert private.private_jwk() == key.private_jwk()
    assert private.secret_octets() == key.secret_octets()


def test_a_key_without_kid_is_published_under_its_thumbprint() -> None:
    assert jwk.parse_public(AGENT.public.members).public_jwk()["kid"] == AGENT.public.thumbprint


@pytest.mark.parametrize("key", _KEYS)
def test_a_signature_verifies_over_its_own_data_by_its_own_key_alone(key: jwk.SigningKey) -> None:
    signature = key.sign(b"data")
    assert len(signature) == 64
    assert key.public.verify(signature, b"data")
    assert not key.public.verify(signature, b"date")
    assert not OTHER.public.verify(signature, b"data")
    assert not key.public.verify(bytes(64), b"data")


@pytest.mark.parametrize("key", _KEYS)
@pytest.mark.parametrize("length", [0, 63, 65, 70])
def test_a_signature_of_another_length_does_not_verify(key: jwk.SigningKey, length: int) -> None:
    assert not key.public.verify((key.sign(b"data") * 2)[:length], b"data")


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        _public(kty=None),
        _public(crv=None),
        _public(x=None),
        _public(y=None),
        _public(kty="RSA"),
        _public(kty="OKP"),
        _public(kty=["EC"]),
        _public(crv="P-384"),
        _public(crv="Ed25519"),
        _public(x="AA"),
        _public(x=AGENT.public.members["x"], y=AGENT.public.members["x"]),
        _public(x=base64url.encode(bytes(33))),
        _public(x="A" * 42 + "B"),
        _public(y=""),
        _public(kid=1),
        _public(kid=""),
        _public(kid="k" * 257),
        {**EDWARDS.public.members, "y": "AA"},
        {**EDWARDS.public.members, "x": "AA"},
        {**EDWARDS.public.members, "crv": "X25519"},
        *[_public(**{name: "AA"}) for name in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")],
    ],
)
def test_what_is_no_allowed_public_key_is_refused(value: Any) -> None:
    with expect_refusal(Reason.KEY_MALFORMED):
        jwk.parse_public(value)
    with expect_refusal(Reason.PROOF_KEY):
        jwk.parse_public(value, Reason.PROOF_KEY)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        AGENT.public.public_jwk(),
        AGENT.private_jwk() | {"d": base64url.encode(bytes(32))},
        AGENT.private_jwk() | {"d": OTHER.private_jwk()["d"]},
        AGENT.private_jwk() | {"crv": "P-384"},
        AGENT.private_jwk() | {"x": OTHER.private_jwk()["x"]},
        AGENT.private_jwk() | {"y": OTHER.private_jwk()["y"]},
        AGENT.private_jwk() | {"kty": "OKP"},
        EDWARDS.private_jwk() | {"d": "AA"},
        EDWARDS.private_jwk() | {"d": "not base64url"},
    ],
)
def test_what_is_no_private_key_is_refused(value: Any) -> None:
    with expect_refusal(Reason.KEY_MALFORMED):
        jwk.parse_private(value)


def test_a_set_gives_its_usable_keys_by_kid() -> None:
    usable: list[Any] = [
        AGENT.public.public_jwk(),
        EDWARDS.public.members,
        OTHER.public.public_jwk() | {"alg": "ES256"},
    ]
    ignored: list[Any] = [
        None,
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        _public(use="enc"),
        _public(alg="ES384"),
        _public(alg=["ES256"]),
        _public(crv="P-384"),
        {**EDWARDS.public.members, "alg": "ES256"},
        {**EDWARDS.public.members, "alg": {}},
    ]
    found = jwk.parse_set({"keys": [*ignored, *usable]})
    assert found.keys() == {AGENT.public.thumbprint, EDWARDS.public.thumbprint, OTHER.public.thumbprint}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"keys": {}},
        {"keys": [{}] * 33},
        {"keys": [AGENT.public.public_jwk()] * 2},
        {"keys": [AGENT.public.public_jwk(), OTHER.public.public_jwk() | {"kid": AGENT.public.thumbprint}]},
        {"keys": [_public(x="AA")]},
        {"keys": [AGENT.private_jwk()]},
    ],
)
def test_what_is_no_key_set_is_refused(value: Any) -> None:
    with expect_refusal(Reason.METADATA_INVALID):
        jwk.parse_set(value, Reason.METADATA_INVALID)


def test_a_fingerprint_is_what_people_compare() -> None:
    assert jwk.fingerprint("abcdefghijklmnopqrstuvwxyz") == "abcd efgh ijkl mnop qrst"
