from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneact.errors import Reason
from oneact.protocol import approval, asking, canonical, display, jws, passkey, read_token, reading, token
from tests.protocol.keys import SERVER
from tests.protocol.refusing import expect_refusal

AIR = "https://air.example"
DOCUMENT: dict[str, Any] = {"read": "itineraries", "intent": "Search itineraries", "path": "/itineraries"}
READ = reading.parse_read(DOCUMENT)
WANTED = reading.want(AIR, [READ], 3600)
STATEMENT = reading.Statement(
    "https://approve.example", AIR, "p-1", "c-1", "K" * 43, 1, 3601, "A" * 22, WANTED, "D" * 43
)  # fmt: skip
ASSERTION = passkey.Assertion("aWQ", bytes(37), b"{}", b"s")


@pytest.mark.parametrize(
    "change",
    [
        {"read": "Itineraries"}, {"read": ""}, {"intent": ""}, {"intent": "x" * 81}, {"path": "itineraries"},
        {"path": "/{"}, {"path": "/{a b}"}, {"path": "/}"}, {"path": "/{}"}, {"more": 1}, {"path": 1},
    ],
)  # fmt: skip
def test_what_is_no_read_is_refused(change: dict[str, Any]) -> None:
    with expect_refusal(Reason.READ_UNKNOWN):
        reading.parse_read({**DOCUMENT, **change})


def test_details_are_read_as_they_were_made() -> None:
    assert reading.parse_details(WANTED.details(), Reason.READ_MALFORMED) == WANTED
    assert WANTED.digest == canonical.digest([DOCUMENT])


@given(st.integers(60, 3600), st.text(min_size=1, max_size=80))
def test_what_is_shown_is_a_function_of_what_is_published_and_how_long(seconds: int, intent: str) -> None:
    read = reading.Read("itineraries", intent, "/itineraries", DOCUMENT)
    first, second = reading.render([read], seconds)
    assert first == (
        "intent", "Let an agent read", "text", f"For \u00ab{seconds}\u00bb seconds at most, as often as it likes",
    )  # fmt: skip
    assert second == ("parameter", intent, "text", "itineraries")
    assert len(display.digest((first, second))) == 43


def test_the_order_of_reads_is_part_of_what_is_signed() -> None:
    other = reading.parse_read({**DOCUMENT, "read": "fares"})
    one, two = reading.want(AIR, [READ, other], 60), reading.want(AIR, [other, READ], 60)
    assert one.digest != two.digest
    assert reading.render([READ, other], 60) != reading.render([other, READ], 60)


def test_a_statement_is_read_as_it_was_signed_and_under_its_own_tag() -> None:
    assert reading.parse_statement(STATEMENT.members()) == STATEMENT
    assert STATEMENT.challenge() == approval.challenge(approval.READ, STATEMENT.members())
    assert STATEMENT.challenge() != approval.challenge(approval.APPROVAL, STATEMENT.members())


def test_neither_statement_is_the_other() -> None:
    of_act = approval.Statement("https://approve.example", "c-1", "K" * 43, 1, 61, "A" * 22, ("I" * 43,))
    with expect_refusal(Reason.STATEMENT_MALFORMED):
        reading.parse_statement(of_act.members())
    with expect_refusal(Reason.STATEMENT_MALFORMED):
        approval.parse(STATEMENT.members())


@pytest.mark.parametrize(
    "change", [{"nonce": "A" * 21}, {"display": "d"}, {"jkt": "k"}, {"exp": "1"}, {"authorization_details": []}]
)
def test_a_statement_outside_its_form_is_refused(change: dict[str, Any]) -> None:
    with expect_refusal(Reason.STATEMENT_MALFORMED):
        reading.parse_statement({**STATEMENT.members(), **change})


def test_a_read_token_is_read_as_it_was_signed_and_is_no_other() -> None:
    made = read_token.ReadToken(
        "https://approve.example", "p-1", AIR, "c-1", 1, 301, "j-1", "K" * 43, WANTED.details(),
        read_token.approvals(STATEMENT, ASSERTION),
    )  # fmt: skip
    text = read_token.sign(made, SERVER)
    found, parsed = read_token.parse(text)
    assert found == made
    jws.verify(parsed, SERVER.public, token.FAULTS)
    assert read_token.parse_approvals(found.approvals) == (STATEMENT, ASSERTION)
    for parse in (token.parse, asking.parse):
        with expect_refusal(Reason.TOKEN_MALFORMED):
            parse(text)
