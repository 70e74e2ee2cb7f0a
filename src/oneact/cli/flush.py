"""`oneact service flush`: deliver what waits, once, for a service whose own process sleeps."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:
    from oneact.service.keys import ServiceKeys


class Flushed(NamedTuple):
    """How many receipts arrived, and how many wait."""

    arrived: int
    waiting: int


def flush(
    store: Annotated[Path, typer.Option(help="The guard's SQLite file.")],
    key: Annotated[Path, typer.Option(help="The service's key file: it signs `unknown` where an act was cut off.")],
    private_host: Annotated[
        list[str] | None,
        typer.Option(help="A name that may have a private address, as in private_hosts=. Repeatable."),
    ] = None,
) -> None:
    """Say `unknown` of acts whose process was gone at their deadline, and try every receipt that is due, once.

    It may run beside the service. Exit status: 0 every receipt has arrived, 1 some wait, 2 something cannot be read.
    """
    from oneact.errors import Refusal
    from oneact.service import keys

    try:
        for file in (store, key):
            file.stat()  # what is not there is not made here
        found = asyncio.run(_flush(store, keys.load(key), private_host or []))
    except (OSError, Refusal) as error:
        typer.echo(f"the store or the key cannot be read: {error}", err=True)
        raise typer.Exit(2) from error
    typer.echo(f"{found.arrived} arrived, {found.waiting} wait")
    raise typer.Exit(1 if found.waiting else 0)


async def _flush(file: Path, own: ServiceKeys, private_hosts: list[str]) -> Flushed:
    from oneact.documents import CachedDocuments
    from oneact.fetch import Fetcher
    from oneact.service.execution import Execution
    from oneact.service.issuers import LINKED, Issuers
    from oneact.service.outbox import Outbox
    from oneact.service.receipts import Receipts
    from oneact.service.store import SqliteStore
    from oneact.service.store.snapshot import snapshot

    def now() -> int:
        return int(time.time())

    store, fetcher = SqliteStore(file), Fetcher("", private_hosts)
    await store.open()
    try:
        await Execution(store, Receipts(own.signing), now).recover()
        arrived = await Outbox(store, Issuers(LINKED, store, CachedDocuments(fetcher)), now, fetcher).flush()
    finally:
        await store.close()
    with snapshot(file) as opened:
        return Flushed(arrived, opened.waiting())
