"""The token is sent as Bearer, without any proof of its key."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "as Bearer", "authorization_not_dpop"),
        ("check", "no token", "authorization_not_dpop"),
        ("check", "two tokens", "authorization_repeated"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
