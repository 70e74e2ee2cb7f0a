"""A roster by a passkey that is not pinned, with an old seq, or by the server alone with more."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("roster", "vouched for by the new passkey", "roster_unpinned"),
        ("roster", "the same seq later", "roster_seq"),
        ("roster", "a lower seq later", "roster_seq"),
        ("roster", "another origin later", "roster_rp_id"),
        ("removal", "one more", "roster_not_subset"),
        ("removal", "by another key under its kid", "roster_signature"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
