"""Rows of entries, as the log's pure room takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.log.replay import Record
from oneact.protocol import canonical

if TYPE_CHECKING:
    from oneact.store.contract import Row


def record(row: Row) -> Record:
    """Give the record of a row; refuses `log_commitment` for what no entry can be."""
    if row["erased_at"] is not None:
        return Record(row["leaf"], row["commitment"], None, None)
    return Record(row["leaf"], row["commitment"], entry(row), row["salt"])


def entry(row: Row) -> Entry:
    """Give the entry of a row whose content stands; refuses `log_commitment` for what no entry can be."""
    try:
        content = canonical.parse(row["content"].encode())
        kind = Kind(row["kind"])
    except (Refusal, ValueError) as error:
        raise Refusal(Reason.LOG_COMMITMENT, f"entry {row['seq']}: {error}") from error
    if not isinstance(content, dict):
        raise Refusal(Reason.LOG_COMMITMENT, f"entry {row['seq']}: not an object")
    return Entry(kind, row["at"], row["account_id"], row["request_id"], content)


def keys(content: str) -> tuple[str, ...]:
    """Give the verifier lines of the log's keys that an entry's content tells of."""
    told = canonical.parse(content.encode()) if content else None  # erased ones are empty
    listed = told.get("log_keys") if isinstance(told, dict) else None
    return tuple(str(line) for line in listed) if isinstance(listed, list) else ()
