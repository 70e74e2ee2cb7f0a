"""A passkey used without verifying the person, or without anyone present."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "without verification", "assertion_uv"),
        ("check", "without presence", "assertion_up"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
