"""Input made to exhaust whoever reads it."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("canonical", "seventeen levels", "json_too_deep"),
        ("display", "too many lines", "too_large_to_show"),
        ("display", "too many octets", "too_large_to_show"),
        ("check", "a token over 6 KiB", "token_too_large"),
        ("check", "a proof over 2 KiB", "proof_too_large"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
