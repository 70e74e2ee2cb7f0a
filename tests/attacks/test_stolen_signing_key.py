"""The thief of the approval server's signing key makes tokens, with no approval or a borrowed one."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "no approval", "statement_malformed"),
        ("check", "an unpinned passkey", "passkey_not_pinned"),
        ("check", "a forged assertion", "assertion_signature"),
        ("check", "another item", "statement_item"),
        ("check", "terms nobody stated", "txn_foreign"),
        ("check", "a statement to another agent", "statement_client"),
        ("check", "a statement to another key", "statement_key"),
        ("check", "another transaction's item", "statement_item"),
        ("check", "another person's item", "statement_item"),
        ("check", "an assertion over another statement", "assertion_challenge"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
