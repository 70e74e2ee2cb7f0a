"""One person stands for two, or approves what they asked for themselves."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "one of two persons", "rule_not_met"),
        ("check", "one person twice", "rule_not_met"),
        ("check", "the one who asked alone", "rule_not_met"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
