"""A gesture made for another site, another relying party, of another type, or in a frame."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "another origin", "assertion_origin"),
        ("check", "another relying party", "assertion_rp_id"),
        ("check", "another type", "assertion_type"),
        ("check", "in a frame", "assertion_cross_origin"),
        ("assertion", "a top origin", "assertion_cross_origin"),
        ("assertion", "a name twice in client data", "assertion_malformed"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
