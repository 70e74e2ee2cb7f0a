"""Evidence out of a database, for its operator."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from oneact.protocol import canonical
from oneact.server.tlog import exporting
from oneact.store.snapshot import Snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from oneact.store.contract import Row, Value


class _Looking:
    """A snapshot, asked as a store is."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    async def one(self, statement: str, *parameters: Value) -> Row | None:
        return self._snapshot.one(statement, *parameters)

    async def all(self, statement: str, *parameters: Value) -> list[Row]:
        return list(self._snapshot.rows(statement, *parameters))


def evidence(database: Path, request: str) -> bytes:
    """Give the evidence of a request as a file's octets; refuses `not_yours`, `log_empty`, `store_unavailable`."""
    with Snapshot(database) as snapshot:
        found = asyncio.run(exporting.export(_Looking(snapshot), request))
    return canonical.encode(found.members()) + b"\n"
