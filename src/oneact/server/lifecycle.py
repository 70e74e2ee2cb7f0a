"""The life of one request, as a table: which event leads from which state to which, and what the log calls it.

Every change of a request is one conditional write that names the state it leaves, so of two racing events one wins.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from oneact.log.entry import Kind


class State(StrEnum):
    """Where a request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    ISSUED = "issued"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What can happen to a request."""

    APPROVE = "approve"
    DENY = "deny"
    CANCEL = "cancel"
    EXPIRE = "expire"
    ISSUE = "issue"
    WITHDRAW = "withdraw"


TRANSITIONS: Final[dict[tuple[State, Event], tuple[State, Kind]]] = {
    (State.PENDING, Event.APPROVE): (State.APPROVED, Kind.APPROVED),
    (State.PENDING, Event.DENY): (State.DENIED, Kind.DENIED),
    (State.PENDING, Event.CANCEL): (State.CANCELLED, Kind.CANCELLED),
    (State.PENDING, Event.EXPIRE): (State.EXPIRED, Kind.EXPIRED),
    (State.APPROVED, Event.ISSUE): (State.ISSUED, Kind.TOKEN_ISSUED),
    (State.APPROVED, Event.EXPIRE): (State.EXPIRED, Kind.EXPIRED),
    (State.APPROVED, Event.WITHDRAW): (State.DENIED, Kind.DENIED),
}
FINAL: Final = frozenset(State) - {source for source, _ in TRANSITIONS}


def diagram() -> str:
    """Draw the table as a Mermaid state diagram, as it stands in the documentation."""
    lines = ["stateDiagram-v2", "    [*] --> pending: ask"]
    lines += [f"    {source} --> {target}: {event}" for (source, event), (target, _) in TRANSITIONS.items()]
    lines += [f"    {state} --> [*]" for state in State if state in FINAL]
    return "\n".join(lines) + "\n"
