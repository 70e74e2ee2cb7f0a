from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oneact.errors import Reason
from oneact.protocol import base64url, passkey
from oneact.testing import SoftwarePasskey
from tests.protocol.refusing import expect_refusal

_RP_ID, _ORIGIN = "approve.example", "https://approve.example"
_CHALLENGE = bytes(range(32))
_AT_HOME = partial(SoftwarePasskey, _RP_ID, _ORIGIN, allow_foreign_origin_for_vectors=True)
_PASSKEYS = {alg: _AT_HOME(alg) for alg in passkey.ALGORITHMS}
_PASSKEY = _PASSKEYS["ES256"]


def _verify(assertion: passkey.Assertion, found: SoftwarePasskey = _PASSKEY) -> int:
    return passkey.verify(assertion, found.credential, _CHALLENGE, _RP_ID, (_ORIGIN, "https://other.example"))


def _spki(key: Any) -> str:
    return base64url.encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize("alg", passkey.ALGORITHMS)
def test_an_assertion_verifies_and_gives_its_counter(alg: str) -> None:
    found = _PASSKEYS[alg]
    found.counter = 41
    assert _verify(found.get(_CHALLENGE), found) == 42


@pytest.mark.parametrize("alg", passkey.ALGORITHMS)
def test_an_assertion_by_another_key_does_not_verify(alg: str) -> None:
    other = _AT_HOME(alg, credential_id=_PASSKEYS[alg].credential_id)
    with expect_refusal(Reason.ASSERTION_SIGNATURE):
        _verify(other.get(_CHALLENGE), _PASSKEYS[alg])


def test_an_assertion_of_another_credential_does_not_verify() -> None:
    with expect_refusal(Reason.ASSERTION_SIGNATURE):
        _verify(_PASSKEY.get(_CHALLENGE)._replace(credential_id="other"))


def test_a_counter_that_does_not_rise_is_no_reason() -> None:
    _PASSKEY.counter = -1
    assert _verify(_PASSKEY.get(_CHALLENGE)) == 0


@pytest.mark.parametrize(
    "members", [{"crossOrigin": None}, {"extra": "member"}, {"origin": "https://other.example"}, {"extra": {"a": [1]}}]
)
def test_client_data_in_another_form_that_says_the_same_verifies(members: dict[str, Any]) -> None:
    assert _verify(_PASSKEY.get(_CHALLENGE, **members)) > 0


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"type": "webauthn.create"}, Reason.ASSERTION_TYPE),
        ({"type": "payment.get"}, Reason.ASSERTION_TYPE),
        ({"type": None}, Reason.ASSERTION_TYPE),
        ({"challenge": base64url.encode(bytes(32))}, Reason.ASSERTION_CHALLENGE),
        ({"challenge": None}, Reason.ASSERTION_CHALLENGE),
        ({"origin": "https://approve.example.evil.example"}, Reason.ASSERTION_ORIGIN),
        ({"origin": "http://approve.example"}, Reason.ASSERTION_ORIGIN),
        ({"origin": "https://approve.example/"}, Reason.ASSERTION_ORIGIN),
        ({"origin": "https://approve.example:443"}, Reason.ASSERTION_ORIGIN),
        ({"origin": [_ORIGIN]}, Reason.ASSERTION_ORIGIN),
        ({"origin": None}, Reason.ASSERTION_ORIGIN),
        ({"crossOrigin": True}, Reason.ASSERTION_CROSS_ORIGIN),
        ({"crossOrigin": 0}, Reason.ASSERTION_CROSS_ORIGIN),
        ({"crossOrigin": "false"}, Reason.ASSERTION_CROSS_ORIGIN),
        ({"topOrigin": _ORIGIN}, Reason.ASSERTION_CROSS_ORIGIN),
    ],
)
def test_client_data_that_says_something_else_is_refused(members: dict[str, Any], reason: Reason) -> None:
    with expect_refusal(reason):
        _verify(_PASSKEY.get(_CHALLENGE, **members))


def test_an_origin_of_another_type_is_refused_whatever_holds_the_origins() -> None:
    with expect_refusal(Reason.ASSERTION_ORIGIN):
        passkey.verify(
            _PASSKEY.get(_CHALLENGE, origin=[_ORIGIN]), _PASSKEY.credential, _CHALLENGE, _RP_ID, frozenset({_ORIGIN})
        )


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"type":"webauthn.get","type":"webauthn.get"}', b"\xff", b'{"a":1.5}', b'{"a":"\\ud800"}']
)
def test_client_data_that_is_no_strict_json_object_is_refused(data: bytes) -> None:
    with expect_refusal(Reason.ASSERTION_MALFORMED):
        _verify(_PASSKEY.sign(_PASSKEY.authenticator_data(), data))


def _data(**changes: Any) -> bytes:
    """Give authenticator data with other flags or another RP ID."""
    return replace(_PASSKEY, **changes).authenticator_data()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.ASSERTION_MALFORMED),
        (_data()[:36], Reason.ASSERTION_MALFORMED),
        (_data() + b"\xa0", Reason.ASSERTION_MALFORMED),
        (_data()[:32] + b"\x85" + _data()[33:], Reason.ASSERTION_MALFORMED),
        (_data()[:32] + b"\x45" + _data()[33:], Reason.ASSERTION_MALFORMED),
        (_PASSKEY.authenticator_data(b"attested"), Reason.ASSERTION_MALFORMED),
        (_data(rp_id="example"), Reason.ASSERTION_RP_ID),
        (_data(user_present=False), Reason.ASSERTION_UP),
        (_data(user_verified=False), Reason.ASSERTION_UV),
        (_data(user_verified=False, user_present=False), Reason.ASSERTION_UP),
    ],
)
def test_authenticator_data_that_does_not_hold_is_refused(data: bytes, reason: Reason) -> None:
    with expect_refusal(reason):
        _verify(_PASSKEY.sign(data, _PASSKEY.client_data("webauthn.get", _CHALLENGE)))


def test_authenticator_data_with_extensions_and_backup_flags_verifies() -> None:
    data = _data()[:32] + bytes([0x01 | 0x04 | 0x08 | 0x10 | 0x80]) + bytes(4) + b"\xa0"
    assert _verify(_PASSKEY.sign(data, _PASSKEY.client_data("webauthn.get", _CHALLENGE))) == 0


@pytest.mark.parametrize("name", ["authenticator_data", "client_data_json"])
def test_octets_changed_after_signing_do_not_verify(name: str) -> None:
    given = _PASSKEY.get(_CHALLENGE, extra="a")
    changed: Any = {
        "authenticator_data": given.authenticator_data[:33] + b"\x7f\x00\x00\x00",
        "client_data_json": given.client_data_json + b" ",
    }
    with expect_refusal(Reason.ASSERTION_SIGNATURE):
        _verify(given._replace(**{name: changed[name]}))


def test_an_assertion_and_a_credential_are_read_back() -> None:
    given = _PASSKEY.get(_CHALLENGE)
    assert passkey.parse_assertion(given.members()) == given
    for found in _PASSKEYS.values():
        read = passkey.parse_credential(found.credential.members(), Reason.ROSTER_MALFORMED)
        assert read == found.credential


@pytest.mark.parametrize("name", ["credential_id", "authenticator_data", "client_data_json", "signature"])
@pytest.mark.parametrize("value", [None, "", 1, "A" * 9000])
def test_an_assertion_outside_its_form_is_refused(name: str, value: Any) -> None:
    members = _PASSKEY.get(_CHALLENGE).members()
    with expect_refusal(Reason.ASSERTION_MALFORMED):
        passkey.parse_assertion({**members, name: value})
    with expect_refusal(Reason.ASSERTION_MALFORMED):
        passkey.parse_assertion({key: member for key, member in members.items() if key != name})


@pytest.mark.parametrize("name", ["authenticator_data", "client_data_json", "signature"])
def test_an_assertion_that_is_no_base64url_is_refused(name: str) -> None:
    with expect_refusal(Reason.ASSERTION_MALFORMED):
        passkey.parse_assertion({**_PASSKEY.get(_CHALLENGE).members(), name: "AA=="})


_P384 = _spki(ec.generate_private_key(ec.SECP384R1()).public_key())
_X25519_LIKE = base64url.encode(b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00" + bytes(range(32)))
_RSA_1024 = _spki(rsa.generate_private_key(65537, 1024).public_key())  # noqa: S505 - weak on purpose


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"id": 1},
        {"id": "A"},
        {"id": "A" * 1368},
        {"more": 1},
        {"public_key": ""},
        {"public_key": "AA=="},
        {"public_key": "AAAA"},
        {"public_key": _P384},
        {"public_key": _X25519_LIKE},
        {"public_key": _spki(ed25519.Ed25519PrivateKey.generate().public_key())},
        {"alg": "RS256"},
        {"alg": "RS256", "public_key": _RSA_1024},
        {"alg": "EdDSA"},
        {"alg": "ES384"},
        {"alg": -7},
    ],
)
def test_a_credential_outside_its_form_is_refused(change: dict[str, Any]) -> None:
    with expect_refusal(Reason.ROSTER_MALFORMED):
        passkey.parse_credential(_PASSKEY.credential.members() | change, Reason.ROSTER_MALFORMED)
