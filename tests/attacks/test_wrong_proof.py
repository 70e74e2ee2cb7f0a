"""No proof, or one that is foreign, stale, or for something else."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "no proof", "proof_missing"),
        ("check", "two proofs", "proof_repeated"),
        ("check", "a proof of another token", "proof_ath"),
        ("check", "a stale proof", "proof_iat"),
        ("check", "a proof that is forged", "proof_signature"),
        ("check", "another address", "proof_htu"),
        ("check", "another method", "proof_htm"),
        ("check", "a proof without our nonce", "proof_nonce"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
