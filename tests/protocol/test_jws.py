from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws as foreign
from joserfc.jwk import ECKey, OKPKey

from oneact.errors import Reason
from oneact.protocol import base64url, canonical, jwk, jws
from tests.protocol.keys import AGENT, EDWARDS, OTHER, header, signed
from tests.protocol.refusing import expect_refusal

# The peer warns of RFC 9864's newer name of the same algorithm.
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
_TYP = "test+jwt"
_FAULTS = jws.Faults(
    Reason.TOKEN_MALFORMED, Reason.TOKEN_TYP, Reason.TOKEN_ALG, Reason.TOKEN_KEY, Reason.TOKEN_SIGNATURE
)
_KEYS = [AGENT, EDWARDS]


def _foreign_key(key: jwk.SigningKey) -> Any:
    kind: Any = {"ES256": ECKey, "EdDSA": OKPKey}[key.alg]
    members: Any = {name: value for name, value in key.private_jwk().items() if name not in {"use", "alg", "kid"}}
    return kind.import_key(members)


@pytest.mark.parametrize("key", _KEYS)
@pytest.mark.parametrize("embed", [True, False])
@given(claims=st.dictionaries(st.text("ab\u00e9", max_size=4), st.integers(0, 9) | st.none(), max_size=3))
def test_joserfc_reads_what_is_signed_here(key: jwk.SigningKey, embed: bool, claims: dict[str, Any]) -> None:  # noqa: FBT001 - drawn
    text = jws.sign(claims, _TYP, key, embed=embed)
    read = foreign.deserialize_compact(text, _foreign_key(key), algorithms=[key.alg])
    assert canonical.parse(read.payload) == claims
    assert read.protected["typ"] == _TYP


@pytest.mark.parametrize("key", _KEYS)
def test_what_joserfc_signs_is_verified_here(key: jwk.SigningKey) -> None:
    protected = {"alg": key.alg, "typ": _TYP, "kid": key.public.thumbprint}
    text = foreign.serialize_compact(protected, b'{"a":1}', _foreign_key(key), algorithms=[key.alg])
    parsed = jws.parse(text, _TYP, _FAULTS)
    jws.verify_with(parsed, {key.public.thumbprint: key.public}, _FAULTS)
    assert parsed.claims == {"a": 1}


def test_the_example_of_rfc_7515_appendix_a_3_verifies() -> None:
    key = jwk.parse_public(
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }
    )
    signing_input = (
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp"
        "0cnVlfQ"
    )
    signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    assert key.verify(base64url.decode(signature), signing_input.encode())
    with expect_refusal(Reason.TOKEN_MALFORMED):  # it has no typ, which we ask for always
        jws.parse(f"{signing_input}.{signature}", _TYP, _FAULTS)


@pytest.mark.parametrize("key", _KEYS)
def test_what_is_signed_is_parsed_to_the_same(key: jwk.SigningKey) -> None:
    parsed = jws.parse(jws.sign({"a": "\u00e9"}, _TYP, key), _TYP, _FAULTS)
    assert parsed.claims == {"a": "\u00e9"}
    assert parsed.header == jws.Header(key.alg, _TYP, key.public.thumbprint, None)
    embedded = jws.parse(jws.sign({}, _TYP, key, embed=True), _TYP, _FAULTS)
    assert embedded.header.jwk is not None
    assert embedded.header.jwk.thumbprint == key.public.thumbprint


_GOOD = signed(header(_TYP, AGENT), {"a": 1}, AGENT)
_HEAD, _BODY, _SIGNATURE = _GOOD.split(".")


def _with_payload(octets: bytes) -> str:
    return f"{_HEAD}.{base64url.encode(octets)}.{_SIGNATURE}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        _GOOD + ".",
        _GOOD + "\u00e9",
        f"{_HEAD}=.{_BODY}.{_SIGNATURE}",
        f"{_HEAD}.{_BODY}=.{_SIGNATURE}",
        f"{_HEAD}.{_BODY}.{_SIGNATURE}=",
        f"{_HEAD}.{_BODY}.{_SIGNATURE}\n",
        f".{_BODY}.{_SIGNATURE}",
        f"{_HEAD}..{_SIGNATURE}",
        signed([], {}, AGENT),
        signed(header(_TYP, AGENT), [], AGENT),
        signed(header(_TYP, AGENT), "a", AGENT),
        signed(header(_TYP, AGENT, alg=1), {}, AGENT),
        signed(header(_TYP, AGENT, alg="") | {"alg": None}, {}, AGENT),
        signed(header(_TYP, AGENT) | {"typ": ["at+jwt"]}, {}, AGENT),
        signed(header(_TYP, AGENT, kid=1), {}, AGENT),
        *[
            signed(header(_TYP, AGENT, **{name: "x"}), {}, AGENT)
            for name in ("crit", "b64", "zip", "enc", "jku", "x5u")
        ],
        _with_payload(b'{"a":1,"a":1}'),
        _with_payload(b'{"a":1.5}'),
    ],
    ids=lambda text: f"{len(text)} octets",  # ECDSA signs differently each time, and a name has to stay
)
def test_what_is_no_compact_jws_of_an_object_is_refused(text: str) -> None:
    with expect_refusal(Reason.TOKEN_MALFORMED):
        jws.parse(text, _TYP, _FAULTS)


@pytest.mark.parametrize("typ", ["TEST+JWT", "application/test+jwt", "JWT", ""])
def test_another_type_is_refused(typ: str) -> None:
    with expect_refusal(Reason.TOKEN_TYP):
        jws.parse(signed(header(_TYP, AGENT) | {"typ": typ}, {}, AGENT), _TYP, _FAULTS)


@pytest.mark.parametrize("alg", ["none", "HS256", "RS256", "ES384", "es256", "Ed25519", ""])
def test_another_algorithm_is_refused_before_any_key_is_looked_at(alg: str) -> None:
    with expect_refusal(Reason.TOKEN_ALG):
        jws.parse(signed(header(_TYP, AGENT) | {"alg": alg}, {}, AGENT), _TYP, _FAULTS)


@pytest.mark.parametrize("key", [None, {}, AGENT.private_jwk(), {"kty": "oct", "k": "AA"}])
def test_an_embedded_key_that_is_no_public_key_is_refused(key: Any) -> None:
    with expect_refusal(Reason.TOKEN_KEY):
        jws.parse(signed({**header(_TYP, AGENT), "jwk": key}, {}, AGENT), _TYP, _FAULTS)


def test_a_header_with_another_algorithm_than_the_keys_is_refused() -> None:
    parsed = jws.parse(signed(header(_TYP, AGENT, alg="EdDSA"), {}, AGENT), _TYP, _FAULTS)
    with expect_refusal(Reason.TOKEN_ALG):
        jws.verify(parsed, AGENT.public, _FAULTS)


def test_a_signature_by_another_key_is_refused() -> None:
    with expect_refusal(Reason.TOKEN_SIGNATURE):
        jws.verify(jws.parse(_GOOD, _TYP, _FAULTS), OTHER.public, _FAULTS)


def test_a_changed_payload_is_refused() -> None:
    changed = _with_payload(b'{"a":2}')
    with expect_refusal(Reason.TOKEN_SIGNATURE):
        jws.verify(jws.parse(changed, _TYP, _FAULTS), AGENT.public, _FAULTS)


@pytest.mark.parametrize("kid", [None, "unknown"])
def test_no_kid_or_an_unknown_one_is_refused(kid: str | None) -> None:
    parsed = jws.parse(signed(header(_TYP, AGENT, kid=kid), {}, AGENT), _TYP, _FAULTS)
    with expect_refusal(Reason.TOKEN_KEY):
        jws.verify_with(parsed, {AGENT.public.thumbprint: AGENT.public}, _FAULTS)


def test_the_plain_faults_are_those_of_a_jws() -> None:
    with expect_refusal(Reason.JWS_TYP):
        jws.parse(_GOOD, "other", jws.PLAIN)
