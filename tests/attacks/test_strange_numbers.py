"""Floats, huge integers, negative zero: two readers, two numbers."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("canonical", "a fraction", "json_number"),
        ("canonical", "an exponent", "json_number"),
        ("canonical", "a huge integer", "json_number"),
        ("canonical", "an integer too large", "json_number"),
        ("canonical", "negative zero", "json_number"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
