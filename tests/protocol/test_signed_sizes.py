"""What is signed has a size, measured before anything in it is read."""

from typing import Any

import pytest

from oneact.errors import Reason
from oneact.protocol import client_assertion, id_token, jws, receipt, roster
from oneact.protocol.roster import Roster
from tests.protocol.keys import AGENT
from tests.protocol.refusing import expect_refusal

PINNED = Roster("i", "a", "s", "r", ("o",), 1, ())


@pytest.mark.parametrize(
    ("limit", "reason", "read", "arguments"),
    [
        (client_assertion.MAX_OCTETS, Reason.CLIENT_ASSERTION, client_assertion.parse, ()),
        (receipt.MAX_OCTETS, Reason.RECEIPT_MALFORMED, receipt.parse, ()),
        (roster.MAX_OCTETS, Reason.ROSTER_MALFORMED, roster.check_removal, ({}, PINNED, 0)),
        (id_token.MAX_OCTETS, Reason.ID_TOKEN_INVALID, id_token.check, ({}, "i", "c", "r", "n", 0)),
    ],
    ids=["assertion", "receipt", "roster", "ID token"],
)
def test_one_octet_over_its_size_it_is_not_even_taken_apart(
    limit: int, reason: Reason, read: Any, arguments: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    parse = jws.parse

    def counted(text: str, typ: str, faults: jws.Faults) -> jws.Jws:
        taken.append(text)
        return parse(text, typ, faults)

    monkeypatch.setattr(jws, "parse", counted)
    text = jws.sign({"x": "x" * limit}, "x", AGENT)
    for size in (limit, limit + 1):
        with expect_refusal(reason):
            read(text[:size], *arguments)
    assert [len(item) for item in taken] == [limit]
