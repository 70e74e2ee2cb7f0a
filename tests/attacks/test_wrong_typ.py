"""Another signed object is passed off as a token, an offer, a receipt or a proof."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "another typ", "token_typ"),
        ("offer", "another typ", "offer_typ"),
        ("receipt", "another typ", "receipt_typ"),
        ("proof", "another typ", "proof_typ"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
