import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneact.errors import Reason
from oneact.protocol import approval, canonical
from tests.protocol.flight import ISSUER
from tests.protocol.refusing import expect_refusal

_ITEM = "I" * 43
_NONCE = "N" * 21 + "A"


def _statement(**changes: Any) -> dict[str, Any]:
    members: dict[str, Any] = {
        "iss": ISSUER, "client_id": "agent", "jkt": "J" * 43, "iat": 1, "exp": 61, "nonce": _NONCE, "acts": [_ITEM],
    }  # fmt: skip
    return {name: value for name, value in (members | changes).items() if value is not None}


def test_a_statement_is_read_back() -> None:
    found = approval.parse(_statement())
    assert found.members() == _statement()
    assert found.acts == (_ITEM,)


@pytest.mark.parametrize("name", sorted(_statement()))
def test_every_member_of_a_statement_has_to_be_there(name: str) -> None:
    with expect_refusal(Reason.STATEMENT_MALFORMED):
        approval.parse(_statement(**{name: None}))


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"iss": 1},
        {"client_id": ""},
        {"jkt": "short"},
        {"iat": "1"},
        {"iat": True},
        {"exp": -1},
        {"nonce": "N" * 21},
        {"nonce": _NONCE + "A"},
        {"nonce": "N" * 22},
        {"nonce": "=" * 22},
        {"nonce": _NONCE + "\n"},
        {"nonce": "\u00e9" * 22},
        {"nonce": 1},
        {"acts": []},
        {"acts": _ITEM},
        {"acts": [_ITEM, _ITEM]},
        {"acts": [1]},
        {"acts": ["I" * 42]},
        {"acts": [_ITEM, "I" * 42 + "="]},
        {"acts": [f"{number:043}" for number in range(21)]},
    ],
)
def test_a_statement_outside_its_form_is_refused(change: dict[str, Any]) -> None:
    with expect_refusal(Reason.STATEMENT_MALFORMED):
        approval.parse(_statement(**change))


def test_a_statement_of_twenty_acts_is_read() -> None:
    assert len(approval.parse(_statement(acts=[f"{number:043}" for number in range(20)])).acts) == 20


@given(*[st.text(max_size=6)] * 5)
def test_an_item_is_the_one_of_the_specification(aud: str, sub: str, txn: str, act: str, display: str) -> None:
    members: dict[str, canonical.Json] = {"aud": aud, "sub": sub, "txn": txn, "act": act, "display": display}
    expected = canonical.sha256(b"oneact-item-1\n" + canonical.encode(members))
    assert approval.item_hash(aud, sub, txn, act, display) == expected


@pytest.mark.parametrize("at", range(5))
def test_every_part_of_an_item_is_in_its_hash(at: int) -> None:
    parts = ["aud", "sub", "txn", "act", "display"]
    changed = [*parts[:at], "other", *parts[at + 1 :]]
    assert approval.item_hash(*parts) != approval.item_hash(*changed)


def test_a_challenge_is_tagged_so_that_no_gesture_stands_for_another() -> None:
    found = {approval.challenge(tag, {"a": 1}) for tag in approval.TAGS}
    assert len(found) == len(approval.TAGS) == 6
    assert approval.challenge(approval.APPROVAL, {"a": 1}) == hashlib.sha256(b'oneact-approval-1\n{"a":1}').digest()


@given(st.text(min_size=1), st.text(min_size=1), st.lists(st.text(min_size=1), min_size=1, max_size=3))
def test_the_template_of_a_statement_is_its_canonical_form(issuer: str, client: str, acts: list[str]) -> None:
    found = approval.Statement(issuer, client, "J" * 43, 1, 61, "N" * 22, tuple(acts))
    assert found.encoded() == canonical.encode(found.members())
    assert found.challenge() == approval.challenge(approval.APPROVAL, found.members())


def test_a_gesture_of_an_unknown_kind_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no such gesture"):
        approval.challenge("oneact-other-1", {})


@pytest.mark.parametrize(
    ("acts", "approvers", "seconds"), [(1, 1, 60), (2, 1, 120), (20, 1, 120), (1, 2, 600), (1, 3, 600), (2, 2, 0)]
)
def test_a_statement_lives_as_long_as_its_kind_may(acts: int, approvers: int, seconds: int) -> None:
    assert approval.lifetime_limit(acts, approvers) == seconds
