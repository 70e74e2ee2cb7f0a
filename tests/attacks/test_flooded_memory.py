"""Strangers fill memory with signed objects, or parts of them, that nobody has verified."""

import secrets
from typing import Any

import httpx
import pytest

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url, canonical, client_assertion, id_token, jwk, jws, receipt, roster
from oneact.service.store import sqlite
from oneact.testing import InProcessApprover
from tests.attacks.stage import reason
from tests.server.peers import RunningServer
from tests.service.airline import Airline
from tests.service.world import Caller


def giant(typ: str, octets: int = 100_000) -> str:
    """Give a compact JWS that is nothing but a header."""
    header = {"alg": "ES256", "typ": typ, "kid": secrets.token_urlsafe(8), "x": "A" * octets}
    return base64url.encode(canonical.encode({**header})) + ".e30.AA"


def kept() -> int:
    return jws._header.cache_info().currsize


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/par", "/oauth/transaction", "/oauth/device"])
def test_an_assertion_that_is_all_header_is_not_kept(approval: RunningServer, path: str) -> None:
    form = {
        "response_type": "code", "redirect_uri": "x", "state": "s", "nonce": "n", "code_challenge": "c" * 43,
        "code_challenge_method": "S256", "scope": "openid", "client_assertion_type": client_assertion.ASSERTION_TYPE,
    }  # fmt: skip
    before = kept()
    for octets in (2_000, 100_000):
        text = giant(client_assertion.TYP, octets)
        assert reason(httpx.post(approval.url + path, data={**form, "client_assertion": text})) == "client_assertion"
    assert kept() == before


def test_a_receipt_that_is_all_header_is_not_kept(approval: RunningServer) -> None:
    before = kept()
    answer = httpx.post(
        approval.url + "/oauth/receipts",
        content=giant(receipt.TYP, 9_000),
        headers={"Content-Type": "application/jwt"},
    )
    assert reason(answer) == "receipt_malformed"
    assert kept() == before


async def test_a_roster_that_is_all_header_is_not_kept(caller: Caller, airline: Airline) -> None:
    before = kept()
    for octets in (2_000, 100_000):
        answer = await caller.client.post(
            airline.resource + "/oneact/roster",
            content=giant(roster.TYP, octets),
            headers={"Content-Type": "application/jwt"},
        )
        assert reason(answer) == "roster_malformed"
    assert kept() == before


async def test_a_token_over_its_size_is_not_read_to_learn_its_issuer(caller: Caller, airline: Airline) -> None:
    before = kept()
    headers = {"Authorization": "DPoP " + giant("at+jwt", 8_000), "DPoP": "a.b.c"}
    answer = await caller.client.get(airline.resource + "/oneact/receipts/x", headers=headers)
    assert reason(answer) == "token_too_large"
    assert kept() == before


def refused(call: Any, *arguments: Any) -> Reason:
    with pytest.raises(Refusal) as caught:
        call(*arguments)
    return caught.value.reason


def test_what_is_too_long_is_refused_before_its_header_is_read() -> None:
    before, server = kept(), InProcessApprover().key
    keys: dict[str, jwk.PublicKey] = {}
    text = jws.sign({"x": "x" * 100_000}, "JWT", server)
    pinned = InProcessApprover().roster("https://air.example")
    assert refused(client_assertion.parse, text) is Reason.CLIENT_ASSERTION
    assert refused(receipt.parse, text) is Reason.RECEIPT_MALFORMED
    assert refused(roster.check_removal, text, keys, pinned, 0) is Reason.ROSTER_MALFORMED
    assert refused(id_token.check, text, keys, "i", "c", "r", "n", 0) is Reason.ID_TOKEN_INVALID
    assert kept() == before


def test_a_long_roster_is_read_but_not_kept() -> None:
    found = InProcessApprover().roster("https://air.example")
    before = sqlite._short_roster.cache_info().currsize
    distinct = tuple(letter * 2048 for letter in "abc")
    long = type(found)(found.iss, found.aud, found.sub, found.rp_id, distinct, 1, found.credentials)
    assert sqlite._roster(sqlite._text(long)) == long
    assert sqlite._short_roster.cache_info().currsize == before
    assert sqlite._roster(sqlite._text(found)) == found
    assert sqlite._short_roster.cache_info().currsize == before + 1
