from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
import rfc8785

from oneact.log.entry import SALT_OCTETS, Entry, Kind, commitment
from oneact.protocol import base64url

ENTRY = Entry(Kind.APPROVED, 1_800_000_000, "account", "request", {"a": 1})
SALT = bytes(range(SALT_OCTETS))


def test_the_commitment_is_the_tagged_hash_of_salt_and_canonical_entry() -> None:
    expected = hashlib.sha256(b"oneact-entry-1\n" + SALT + rfc8785.dumps(ENTRY.members())).digest()
    assert commitment(ENTRY, SALT) == base64url.encode(expected)


@pytest.mark.parametrize(
    "changes",
    [{"kind": Kind.DENIED}, {"at": 1}, {"account": "x"}, {"request": "x"}, {"content": {"a": 2}}],
)
def test_every_member_is_committed_to(changes: dict[str, object]) -> None:
    assert commitment(replace(ENTRY, **changes), SALT) != commitment(ENTRY, SALT)


def test_another_salt_gives_another_commitment() -> None:
    assert commitment(ENTRY, bytes(SALT_OCTETS)) != commitment(ENTRY, SALT)


def test_a_salt_of_another_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="16 octets"):
        commitment(ENTRY, b"short")
