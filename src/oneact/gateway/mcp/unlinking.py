"""How the one person of a proxy unlinks it: on their own machine, where whoever may change its files may do as much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneact.gateway.mcp import places
from oneact.gateway.mcp.door import ACCOUNT
from oneact.service.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path


def command(folder: Path) -> str:
    """Give what the person types, for the server of a folder."""
    return f"oneact mcp unlink {folder.name}"


def known() -> list[str]:
    """Give the names of the servers that a proxy has stood before."""
    return sorted({file.parent.parent.name for file in (places.home() / "mcp").glob("*/*/service.db")})


async def unlink(name: str, now: int) -> list[str]:
    """Take the passkeys off every proxy of a known server, also of one that runs; gives where they were linked.

    What was done and its receipts stay, and that it was unlinked stands in the journal.
    """
    found = []
    for database in sorted((places.home() / "mcp" / name).glob("*/service.db")):
        store = SqliteStore(database)
        await store.open()
        try:
            for issuer in [link.roster.iss for link in await store.links(ACCOUNT)]:
                await store.unlink(ACCOUNT, issuer, now)
                found.append(issuer)
        finally:
            await store.close()
    return found
