"""A token by a key that the issuer does not publish."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "an unknown kid", "token_key"),
        ("check", "a forged signature", "token_signature"),
        ("check", "another issuer", "token_issuer"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
