"""A yes that still works later: the very second of expiry, and lives that are too long."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "the second at which it expires", "token_expired"),
        ("check", "a life of thirty-one seconds", "token_lifetime"),
        ("check", "from the future", "token_not_yet_valid"),
        ("check", "a token past its statement", "statement_time"),
        ("check", "a statement of sixty-one seconds", "statement_lifetime"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
