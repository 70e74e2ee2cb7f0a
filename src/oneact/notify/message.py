"""What is told, in one form for every way of telling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oneact.protocol import canonical

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json


@dataclass(frozen=True, slots=True)
class Message:
    """One message: `id` the same at every attempt, `kind` such as `log.checkpoint`, `at` in seconds.

    `name` is what a file of it is called, `subject` one line for people, `text` the whole for people, `data` for
    programs.
    """

    id: str
    kind: str
    at: int
    name: str
    subject: str
    text: str
    data: dict[str, Json]

    def body(self) -> bytes:
        """Give the body of a webhook, as Standard Webhooks recommends it."""
        return canonical.encode({"type": self.kind, "timestamp": self.at, "data": self.data})
