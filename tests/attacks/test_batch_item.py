"""An approval for one item of a batch is used for another, or the batch is stretched."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "another item", "statement_item"),
        ("check", "a batch of two minutes and a second", "statement_lifetime"),
        ("check", "a batch for two persons", "statement_lifetime"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
