"""The text of the literal run is whole: every request stands in it, and all that it carries is good."""

from __future__ import annotations

import re

import pytest

from oneact.protocol import approval as gestures
from oneact.protocol import base64url, client_assertion, dpop, id_token, jwk, jws, offer, receipt, token
from oneact.protocol import passkey as passkeys
from tests.spec.exchanges import RUN, Message, exchanges, messages
from tests.spec.literal import AGENT, AIR, APPROVE, CLIENT_ID, LINKED, NONCE, PAIRED, SERVER, SERVICE, VERIFIER, T
from tests.spec.test_literal import MADE

REQUESTS = [message for message in messages() if not message.start[0].startswith("HTTP/")]
KEYS = {key.public.thumbprint: key.public for key in (AGENT, SERVER, SERVICE)}
MOMENTS = {PAIRED: 3600, LINKED: 3600, T: 600}


def now_of(iat: int) -> int:
    assert any(start <= iat < start + length for start, length in MOMENTS.items())
    return iat


def claims(text: str, typ: str) -> dict[str, object]:
    return dict(jws.parse(text, typ, jws.PLAIN).claims)


def test_nothing_is_left_to_be_imagined() -> None:
    assert "(a fresh" not in RUN
    assert "…" not in RUN
    assert len(REQUESTS) == len(list(exchanges()))


@pytest.mark.parametrize("message", REQUESTS, ids=[f"{item.start[0]} {item.url[:60]}" for item in REQUESTS])
def test_what_a_request_carries_is_for_this_very_request(message: Message) -> None:
    shown = message.headers.get("DPoP")
    if shown is not None:
        token_text = message.headers.get("Authorization", "").removeprefix("DPoP ") or None
        said = claims(shown, dpop.TYP)
        nonces = [str(said["nonce"])] if "nonce" in said else None
        proof = dpop.check(shown, message.start[0], message.url, int(str(said["iat"])), token=token_text, nonces=nonces)
        assert proof.jkt == AGENT.public.thumbprint
        assert now_of(proof.iat)
    given = message.form().get("client_assertion")
    if given is not None:
        found = client_assertion.parse(given)
        signer = AGENT if found.client_id == "c-9f2k" else SERVICE
        client_assertion.check(found, [signer.public], APPROVE, now_of(found.iat))
        assert (signer is AGENT) == (shown is not None)
        assert (
            message.form().get("client_id", found.client_id)
            == found.client_id
            == ("c-9f2k" if signer is AGENT else CLIENT_ID)
        )


def test_every_call_of_the_agent_is_authenticated_and_no_identifier_comes_twice() -> None:
    proofs = [message.headers["DPoP"] for message in REQUESTS if "DPoP" in message.headers]
    assertions = [text for message in REQUESTS if (text := message.form().get("client_assertion"))]
    to_server = [message for message in REQUESTS if message.url.startswith(APPROVE) and "DPoP" in message.headers]
    assert [message.url for message in to_server if "client_assertion" not in message.form()] == [
        APPROVE + "/oauth/register"
    ] * 2
    for texts, typ in ((proofs, dpop.TYP), (assertions, client_assertion.TYP)):
        identifiers = [claims(text, typ)["jti"] for text in texts]
        assert len(set(identifiers)) == len(identifiers)


def test_after_an_answer_with_a_nonce_the_next_proof_holds_it() -> None:
    handed: str | None = None
    for request, answer in exchanges():
        if "DPoP" in request.headers and request.url.startswith(APPROVE):
            said = claims(request.headers["DPoP"], dpop.TYP).get("nonce")
            assert said == handed
            refused = answer is not None and answer.status == 401
            assert answer is not None
            assert refused == (answer.headers["DPoP-Nonce"] != said) or answer.status == 200
            handed = answer.headers["DPoP-Nonce"]


def test_every_signed_object_in_the_text_verifies() -> None:
    types = {offer.TYP, token.TYP, receipt.TYP, id_token.TYP, client_assertion.TYP, dpop.TYP}
    found = set()
    for text in set(re.findall(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", RUN)):
        typ = next(typ for typ in types if typ == _typ(text))
        parsed = jws.parse(text, typ, jws.PLAIN)
        jws.verify(parsed, parsed.header.jwk or KEYS[parsed.header.kid or ""], jws.PLAIN)
        found.add(typ)
    assert found == types


def _typ(text: str) -> str:
    return next(typ for typ in re.findall(r'"typ":"([^"]+)"', base64url.decode(text.partition(".")[0]).decode()))


@pytest.mark.parametrize(
    ("part", "tag"), [("pairing", gestures.PAIR), ("linking", gestures.ROSTER), (None, gestures.APPROVAL)]
)
def test_every_gesture_is_over_what_it_says(part: str | None, tag: str) -> None:
    approved = {"value": MADE["statement"], "challenge": MADE["challenge"], "webauthn": MADE["webauthn"]}
    found = MADE[part]["gesture"] if part else approved
    challenge = gestures.challenge(tag, found["value"])
    assert base64url.encode(challenge) == found["challenge"]
    assert found["challenge"] in RUN
    credential = passkeys.parse_credential(MADE["roster"]["credentials"][0], jws.PLAIN.malformed)
    assertion = passkeys.parse_assertion(found["webauthn"])
    passkeys.verify(assertion, credential, challenge, "approve.example", [APPROVE])


def test_the_link_holds_together() -> None:
    [pushed] = [message for message in REQUESTS if message.url == APPROVE + "/oauth/par"]
    fields = pushed.form()
    [back] = [message for message in REQUESTS if message.url.startswith(fields["redirect_uri"] + "?")]
    [exchanged] = [message for message in REQUESTS if message.form().get("grant_type") == "authorization_code"]
    answer = dict(item.split("=", 1) for item in back.start[1].partition("?")[2].split("&"))
    assert (answer["state"], answer["code"]) == (fields["state"], exchanged.form()["code"])
    assert exchanged.form()["redirect_uri"] == fields["redirect_uri"]
    assert exchanged.form()["code_verifier"] == VERIFIER
    assert fields["code_challenge"] == dpop.canonical.sha256(VERIFIER.encode())
    keys = jwk.parse_set({"keys": [MADE["keys"]["approval server"]]})
    found = id_token.check(MADE["linking"]["id token"], keys, APPROVE, CLIENT_ID, AIR, NONCE, LINKED + 30)
    assert found.signed_roster.roster.members() == MADE["roster"]
    assert fields["nonce"] == NONCE
