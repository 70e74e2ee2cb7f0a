"""The log as lines of JSON: a head, then a record a line; what `oneact log export` writes and `verify` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.log import checkpoint
from oneact.log.evidence import parse_entry
from oneact.log.replay import Record
from oneact.protocol import base64url, canonical, form

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json

VERSION: Final = "1"
_MALFORMED: Final = Reason.LOG_MALFORMED


class Head(NamedTuple):
    """The first line: the log's own word on its keys (verifier lines), and its checkpoint as a note."""

    keys: tuple[str, ...]
    checkpoint: str


def head_line(head: Head) -> bytes:
    """Give the first line, with its newline."""
    value: dict[str, Json] = {"oneact_log": VERSION, "keys": list(head.keys), "checkpoint": head.checkpoint}
    return canonical.encode(value) + b"\n"


def record_line(record: Record, *, public: bool = False) -> bytes:
    """Give a record's line, with its newline; a `public` one is its place and its commitment alone."""
    value: dict[str, Json] = {"leaf": record.leaf, "commitment": record.commitment}
    if record.entry is not None and record.salt is not None and not public:
        value |= {"entry": record.entry.members(), "salt": base64url.encode(record.salt)}
    return canonical.encode(value) + b"\n"


def parse_head(line: bytes) -> Head:
    """Read the first line; refuses `log_malformed`."""
    members = form.closed(_parsed(line), _MALFORMED, {"oneact_log", "keys", "checkpoint"})
    if members["oneact_log"] != VERSION:
        raise Refusal(_MALFORMED, "another version")
    note = form.text(members["checkpoint"], _MALFORMED, checkpoint.MAX_OCTETS)
    return Head(form.texts(members["keys"], _MALFORMED, 16), note)


def parse_record(line: bytes) -> Record:
    """Read a record's line; refuses `log_malformed`."""
    members = form.closed(_parsed(line), _MALFORMED, {"leaf", "commitment"}, {"entry", "salt"})
    leaf = None if members["leaf"] is None else form.integer(members["leaf"], _MALFORMED)
    entry = parse_entry(members["entry"], _MALFORMED) if "entry" in members else None
    salt = base64url.decode(form.text(members["salt"], _MALFORMED, 64), _MALFORMED) if "salt" in members else None
    return Record(leaf, form.digest(members["commitment"], _MALFORMED), entry, salt)


def _parsed(line: bytes) -> Json:
    try:
        return canonical.parse(line.rstrip(b"\n"))
    except Refusal as refusal:
        raise Refusal(_MALFORMED, str(refusal)) from refusal
