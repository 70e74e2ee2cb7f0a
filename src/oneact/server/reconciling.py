"""Reconciling: what was approved held against what services say was done, and every difference told.

| finding | what it is |
|---|---|
| `no_word` | approved and collected, and a quarter of an hour later the service has said nothing |
| `unknown` | the service itself does not know, a quarter of an hour later |
| `not_approved` | a service's receipt for an act that nobody approved here |
| `two_receipts` | a second receipt that says something else than the first |
"""

from __future__ import annotations

import asyncio
import logging
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from oneact import notify
from oneact.errors import Refusal
from oneact.log.entry import Entry, Kind
from oneact.notify import Means, Message
from oneact.protocol import canonical
from oneact.store import Write

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.receipt import Receipt
    from oneact.server.world import World
    from oneact.store.contract import Row

GRACE: Final = 15 * 60
EVERY: Final = 60.0
_BACK: Final = 7 * 86400  # how far the first look after a start goes back
_logger: Final = logging.getLogger("oneact.server")


class Finding(StrEnum):
    """What reconciling can find."""

    NO_WORD = "no_word"
    UNKNOWN = "unknown"
    NOT_APPROVED = "not_approved"
    TWO_RECEIPTS = "two_receipts"


SENTENCES: Final = {
    Finding.NO_WORD: "You approved this and the agent collected it, but the service never said what became of it.",
    Finding.UNKNOWN: "The service itself does not know whether it did this. Ask the service.",
    Finding.NOT_APPROVED: "The service says that it did something that nobody approved here. Ask the service at once.",
    Finding.TWO_RECEIPTS: "The service has given two different receipts for one act. Ask the service.",
}


async def reconcile(world: World, since: int) -> int:
    """Look at what ended between `since` and a quarter of an hour ago; give that second, for the next look."""
    until = world.now() - GRACE
    for row in await world.store.all("acts_without_word", since, until):
        await _found(world, Finding.NO_WORD, row, "")
    for row in await world.store.all("acts_of_unknown_outcome", since, until):
        await _found(world, Finding.UNKNOWN, row, "")
    return max(since, until)


async def receipt_for_nothing(world: World, said: Receipt, text: str, row: Row | None) -> None:
    """Record a receipt, whose signature is the service's, for an act that no token was issued for."""
    if row is None:
        linked = await world.store.one("link_of_subject", said.iss, said.sub)
        if linked is None:
            return
        row = {"id": "", "account_id": linked["account_id"]}
    await _found(world, Finding.NOT_APPROVED, {**row, "resource": said.iss, "txn": said.txn}, text)


async def second_receipt(world: World, said: Receipt, text: str, row: Row) -> None:
    """Record a receipt, whose signature is the service's, that says something else than the one before."""
    await _found(world, Finding.TWO_RECEIPTS, {**row, "resource": said.iss, "txn": said.txn}, text)


async def open_findings(world: World, account: str) -> list[Row]:
    """Give a person's findings that no later receipt has settled, newest first, each with its `sentence`."""
    rows = await world.store.all("findings_of_account", account)
    for row in rows:
        row["sentence"] = SENTENCES[Finding(row["kind"])]
    return [row for row in rows if not settled(row)]


def settled(row: Row) -> bool:
    """Tell whether a receipt that came later has answered what was found."""
    return row["kind"] in {Finding.NO_WORD, Finding.UNKNOWN} and row["receipt_status"] in {"executed", "failed"}


async def tell(world: World) -> int:
    """Send the findings that have not been told to every address of the settings; give how many were told.

    A finding is told once all addresses have taken it; until then it is tried again at every look.
    """
    addresses = [notify.parse(text) for text in world.settings.findings_to]
    means = Means(world.settings.webhook_secret, world.settings.smtp_url, world.fetch.fetcher.excepted)
    told = 0
    for row in await world.store.all("findings_untold") if addresses else ():
        message = _message(world, row)
        for address in addresses:
            await asyncio.to_thread(notify.send, address, message, means, world.now())
        await world.store.change([Write("finding_told", (row["id"], world.now()))], ())
        told += 1
    return told


async def reconcile_for_ever(world: World) -> None:
    """Reconcile and tell every minute, until cancelled; what fails is tried again."""
    since = world.now() - _BACK
    while True:
        try:
            since = await reconcile(world, since)
            await tell(world)
        except Refusal as refusal:
            _logger.warning("reconciling: %s", refusal)
        await asyncio.sleep(EVERY)


async def _found(world: World, finding: Finding, row: Row, receipt: str) -> None:
    """Record a finding once, with its entry in the log."""
    detail = canonical.sha256(receipt.encode()) if receipt else ""
    content: dict[str, Json] = {"finding": finding.value, "service": row["resource"], "txn": row["txn"]}
    if receipt:
        content["receipt"] = receipt
    now, identifier = world.now(), world.new_id()
    content["id"] = identifier
    kept = (
        identifier, finding.value, row["account_id"], row["id"], row["resource"], row["txn"], detail, now,
    )  # fmt: skip
    entry = Entry(Kind.FINDING, now, row["account_id"], row["id"], content)
    if await world.store.change([Write("insert_finding", kept)], [entry]):
        _logger.warning("found: %s, %s at %s", finding.value, row["txn"], row["resource"])
        world.waiting.wake(row["account_id"])


def _message(world: World, row: Row) -> Message:
    data: dict[str, Json] = {
        "finding": row["kind"], "issuer": world.issuer, "service": row["resource"], "txn": row["txn"],
        "found_at": row["found_at"],
    }  # fmt: skip
    says = f"{row['kind']}: {row['txn']} at {row['resource']}"
    text = f"{world.issuer} found {says}, at second {row['found_at']}.\n"
    return Message(row["id"], "act.finding", row["found_at"], f"finding-{row['id']}.txt", f"OneAct: {says}", text, data)
