"""A token that says it needs no signature."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "alg none", "token_alg"),
        ("offer", "alg none", "offer_alg"),
        ("receipt", "alg none", "receipt_alg"),
        ("proof", "alg none", "proof_alg"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
