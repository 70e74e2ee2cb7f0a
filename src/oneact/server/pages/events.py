"""What the log's entries are called on the pages."""

from __future__ import annotations

from typing import Final

from oneact.log.entry import Kind

SENTENCES: Final[dict[str, str]] = {
    Kind.INTRODUCED: "The agent asked a service for what it tells you alone",
    Kind.ASKED: "The agent asked",
    Kind.READ_ASKED: "The agent asked to read",
    Kind.READ_SHOWN: "Shown to you",
    Kind.READ_OPENED: "You opened it with a passkey",
    Kind.READ_DENIED: "You denied",
    Kind.READ_TOKEN: "The agent may read for some minutes",
    Kind.READ_ENDED: "It was ended",
    Kind.NOTIFIED: "You were told",
    Kind.SHOWN: "Shown to you",
    Kind.APPROVED: "You approved with a passkey",
    Kind.DENIED: "You denied",
    Kind.EXPIRED: "The request expired",
    Kind.CANCELLED: "The agent took the request back",
    Kind.TOKEN_ISSUED: "The agent collected the approval",
    Kind.RECEIPT: "The service's receipt was verified",
    Kind.FINDING: "Something does not fit",
    Kind.REFUSED: "Refused",
}
