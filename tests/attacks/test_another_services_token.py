"""A token is taken to another service, or shown by another agent."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "another service's token", "token_audience"),
        ("check", "another proof's key", "proof_binding"),
        ("check", "nobody linked", "account_not_linked"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
