"""Lone surrogates and names given twice by an escape."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("canonical", "a lone surrogate", "json_surrogate"),
        ("canonical", "a lone surrogate in a name", "json_surrogate"),
        ("canonical", "a name twice by escape", "json_duplicate_key"),
        ("canonical", "not UTF-8", "json_malformed"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
