"""The public key is used as the secret of a symmetric signature."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "HS256 with the public key", "token_alg"),
        ("offer", "HS256", "offer_alg"),
        ("proof", "HS256 with the public key", "proof_alg"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
