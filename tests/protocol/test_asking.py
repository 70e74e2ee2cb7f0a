from __future__ import annotations

import pytest

from oneact.errors import Reason
from oneact.protocol import asking, jws, read_token, token
from tests.protocol.keys import SERVER
from tests.protocol.refusing import expect_refusal

TOKEN = asking.AskingToken("https://approve.example", "p-1", "https://air.example", "c-1", 1, 301, "j-1", "K" * 43)


def test_an_asking_token_is_read_as_it_was_signed() -> None:
    found, parsed = asking.parse(asking.sign(TOKEN, SERVER))
    assert found == TOKEN
    jws.verify(parsed, SERVER.public, token.FAULTS)


def test_it_says_of_itself_what_it_is() -> None:
    text = asking.sign(TOKEN, SERVER)
    assert asking.is_one(text)
    assert not asking.is_one(text + "x" * token.MAX_OCTETS)
    assert not asking.is_one("a.b.c")
    assert not asking.is_one(jws.sign({**TOKEN.claims(), "scope": "read"}, token.TYP, SERVER))
    assert not asking.is_one(jws.sign(TOKEN.claims(), "JWT", SERVER))


@pytest.mark.parametrize("scope", ["read", "ask read", "", "ASK"])
def test_another_scope_is_another_token(scope: str) -> None:
    text = jws.sign({**TOKEN.claims(), "scope": scope}, token.TYP, SERVER)
    with expect_refusal(Reason.TOKEN_MALFORMED):
        asking.parse(text)
    with expect_refusal(Reason.TOKEN_MALFORMED):
        token.parse(text)
    with expect_refusal(Reason.TOKEN_MALFORMED):
        read_token.parse(text)
