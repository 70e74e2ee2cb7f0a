"""A passkey that the service has not pinned, or pinned for another server."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize(
    ("kind", "attack", "reason"),
    [
        ("check", "an unpinned passkey", "passkey_not_pinned"),
        ("check", "a passkey pinned for another server", "passkey_not_pinned"),
    ],
)
def test_it_is_refused_with_its_code(kind: str, attack: str, reason: str) -> None:
    assert played(attack, kind) == reason
