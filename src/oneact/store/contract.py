"""What the approval server asks of its database, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oneact.log.entry import Entry

Value: TypeAlias = str | int | bytes | None
Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Write:
    """One named statement with its parameters `$1…$n`, and how many rows it has to change (None: any number)."""

    statement: str
    parameters: tuple[Value, ...]
    rows: int | None = 1


class Store(Protocol):
    """A database of the approval server.

    Statements are named; their text stands in `store/sql`, written with `$n`. A change is atomic and durable: when
    `change` gives True, every write has changed the number of rows it names, its log entries stand in the same
    transaction, and both survive a crash of the process or the machine. When it gives False, a condition did not
    hold and nothing of it stands. Concurrent changes behave as if they ran one after another. Anything else raises
    `Refusal(STORE_UNAVAILABLE)`, after which nothing may be assumed to stand.
    """

    async def one(self, statement: str, *parameters: Value) -> Row | None:
        """Give the first row, or None; sees every change that has been acknowledged before the call."""
        ...

    async def all(self, statement: str, *parameters: Value) -> list[Row]:
        """Give all rows; sees every change that has been acknowledged before the call."""
        ...

    async def change(self, writes: Sequence[Write], entries: Sequence[Entry]) -> bool:
        """Make these writes and log these entries, all or nothing.

        What is worth a state is worth an entry: only short-lived rows (sessions, challenges, codes) go without.
        """
        ...

    async def close(self) -> None:
        """Finish what has been accepted and let go of the database."""
        ...
