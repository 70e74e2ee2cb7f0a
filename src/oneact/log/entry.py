r"""One entry of the log: what happened, and the salted commitment that stands for it in public.

commitment = base64url(SHA-256("oneact-entry-1\n" | salt | JCS(entry))), salt 16 random octets. Without salt and
content the commitment tells nothing; with them anyone can check it, and both can be erased without touching it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from oneact.protocol import canonical

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json

SALT_OCTETS: Final = 16
_TAG: Final = b"oneact-entry-1\n"


class Kind(StrEnum):
    """What an entry records."""

    ACCOUNT_CREATED = "account_created"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    AGENT_PAIRED = "agent_paired"
    AGENT_BLOCKED = "agent_blocked"
    AGENT_REMOVED = "agent_removed"
    SERVICE_LINKED = "service_linked"
    SERVICE_UNLINKED = "service_unlinked"
    ROSTER_CHANGED = "roster_changed"
    INTRODUCED = "introduced"
    ASKED = "asked"
    READ_ASKED = "read_asked"
    READ_SHOWN = "read_shown"
    READ_OPENED = "read_opened"
    READ_DENIED = "read_denied"
    READ_TOKEN = "read_token"  # noqa: S105 - the name of an event, not a secret
    READ_ENDED = "read_ended"
    NOTIFIED = "notified"
    SHOWN = "shown"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    TOKEN_ISSUED = "token_issued"  # noqa: S105 - the name of an event, not a secret
    RECEIPT = "receipt"
    FINDING = "finding"
    REFUSED = "refused"
    KEY_CREATED = "key_created"
    KEY_ROTATED = "key_rotated"
    SERVER_STARTED = "server_started"
    ACCOUNT_ERASED = "account_erased"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: `at` in seconds, the account and the request it belongs to (each may be empty), its content."""

    kind: Kind
    at: int
    account: str
    request: str
    content: dict[str, Json]

    def members(self) -> dict[str, Json]:
        """Give the entry as it is committed to."""
        return {
            "kind": self.kind.value,
            "at": self.at,
            "account": self.account,
            "request": self.request,
            "content": self.content,
        }


def commitment(entry: Entry, salt: bytes) -> str:
    """Give the commitment to an entry under a salt of 16 octets, 43 characters."""
    if len(salt) != SALT_OCTETS:
        raise ValueError("the salt is not 16 octets")
    return canonical.sha256(_TAG + salt + canonical.encode(entry.members()))
