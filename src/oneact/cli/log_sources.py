"""Where the log's commands read a log from: a database, an export, or a server's public address."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from oneact.errors import Reason, Refusal
from oneact.log import checkpoint, export, tiles
from oneact.log.replay import Record
from oneact.protocol import base64url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from oneact.log.checkpoint import Checkpoint, Verifier
    from oneact.store.snapshot import Snapshot

_SQLITE = b"SQLite format 3\x00"
_OK = 200


class Source(NamedTuple):
    """An opened log: the keys that it names itself, its checkpoint as a note, its records, and its database."""

    keys: tuple[str, ...]
    note: str
    records: Iterable[Record]
    database: Snapshot | None = None


@contextmanager
def opened(where: str) -> Iterator[Source]:
    """Open a log; refuses `store_unavailable`, `log_malformed` or what fetching refuses."""
    if where.startswith(("http://", "https://")):
        yield _served(where.rstrip("/"))
        return
    file = Path(where)
    if not file.is_file():
        raise Refusal(Reason.STORE_UNAVAILABLE, f"{file} is not there")
    with file.open("rb") as lines:
        if lines.read(len(_SQLITE)) != _SQLITE:
            lines.seek(0)
            head = export.parse_head(lines.readline())
            yield Source(head.keys, head.checkpoint, map(export.parse_record, lines))
            return
    from oneact.store.snapshot import Snapshot

    with Snapshot(file) as snapshot:
        yield from_snapshot(snapshot)


def from_snapshot(snapshot: Snapshot) -> Source:
    """Give the log in a database, as it stands at this moment."""
    from oneact.store import records

    def read() -> Iterator[Record]:
        for statement in ("records_with_leaf", "records_without_leaf"):
            yield from map(records.record, snapshot.rows(statement))

    head = snapshot.one("log_head")
    told = snapshot.one("last_key_entry")
    keys = records.keys(told["content"]) if told else ()
    return Source(keys, head["note"] if head else "", read(), snapshot)


def verified(note: str, keys: Iterable[str]) -> Checkpoint:
    """Give the checkpoint of a note that one of these keys has signed; refuses the reason that the last one gives."""
    refused = Refusal(Reason.LOG_SIGNATURE, "no key to verify it with")
    for line in keys:
        try:
            return checkpoint.check(note, checkpoint.parse_verifier(line))
        except Refusal as refusal:
            refused = refusal
    raise refused


def _served(address: str) -> Source:
    """Give a log over HTTP: its commitments alone, which is all that a stranger may see."""
    note = get(f"{address}/checkpoint").decode()
    size = checkpoint.parse(note).size

    def read() -> Iterator[Record]:
        for number in range(-(-size // tiles.WIDTH)):
            width = tiles.widest(tiles.ENTRIES, number, size)
            bundle = get(f"{address}/tile/{tiles.Tile(tiles.ENTRIES, number, width).path()}")
            for at, leaf in enumerate(tiles.parse_bundle(bundle)):
                yield Record(number * tiles.WIDTH + at, base64url.encode(leaf), None, None)

    return Source((), note, read())


def get(url: str) -> bytes:
    """Fetch one file of a log; refuses `metadata_unreachable`."""
    from oneact.fetch import fetch

    found = fetch("GET", url, private_hosts={urlsplit(url).hostname or ""})  # whoever runs this has named the address
    if found.status != _OK:
        raise Refusal(Reason.METADATA_UNREACHABLE, f"{url} answered {found.status}")
    return found.body


def read_keys(given: Iterable[str]) -> list[Verifier]:
    """Read verifier keys, each a line or a file with such lines."""
    lines = [line for item in given for line in (Path(item).read_text() if Path(item).is_file() else item).splitlines()]
    return [checkpoint.parse_verifier(line) for line in lines if line.strip()]
