"""A read session: named reads of one service that a person opens to one agent for a while, once, by their passkey.

What is shown, signed, carried in the token and checked is one `authorization_details` object of type `oneact_read`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.protocol import action, approval, canonical, display, form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oneact.protocol.canonical import Json
    from oneact.protocol.display import Line

TYPE: Final = "oneact_read"
MAX_READS: Final = 10
SHORTEST: Final = 60  # seconds for which a session may be asked for at the least
LONGEST: Final = 3600
_READ: Final = frozenset({"read", "intent", "path"})
_DETAILS: Final = frozenset({"type", "locations", "datatypes", "datatypes_digest", "duration"})
_STATEMENT: Final = frozenset(
    {"iss", "aud", "sub", "client_id", "jkt", "iat", "exp", "nonce", "authorization_details", "display"}
)
_PATH: Final = re.compile(r"/(?:[^{}]|\{[A-Za-z_][A-Za-z0-9_]*\})*")


class Read(NamedTuple):
    """A read as a service publishes it: its name, one line for the person, the path of its GET, the document."""

    name: str
    intent: str
    path: str
    document: dict[str, Json]


class Wanted(NamedTuple):
    """The reads that a session is for: names in their order, the digest of what is published of them, seconds."""

    location: str
    names: tuple[str, ...]
    digest: str
    duration: int

    def details(self) -> list[Json]:
        """Give the `authorization_details` array (RFC 9396 section 2)."""
        return [
            {
                "type": TYPE,
                "locations": [self.location],
                "datatypes": list(self.names),
                "datatypes_digest": self.digest,
                "duration": self.duration,
            }
        ]


class Statement(NamedTuple):
    """What the person's passkey signs: these reads, at this service, for this agent and key, until `exp` (seconds).

    `display` is the digest of the lines that were shown, `nonce` 128 random bits in base64url.
    """

    iss: str
    aud: str
    sub: str
    client_id: str
    jkt: str
    iat: int
    exp: int
    nonce: str
    wanted: Wanted
    display: str

    def members(self) -> dict[str, Json]:
        """Give the statement as it is signed and carried."""
        return {
            "iss": self.iss,
            "aud": self.aud,
            "sub": self.sub,
            "client_id": self.client_id,
            "jkt": self.jkt,
            "iat": self.iat,
            "exp": self.exp,
            "nonce": self.nonce,
            "authorization_details": self.wanted.details(),
            "display": self.display,
        }

    def challenge(self) -> bytes:
        """Give the 32 octets that the passkey signs."""
        return approval.challenge(approval.READ, self.members())


def parse_read(value: Json) -> Read:
    """Read one published read; refuses `read_unknown`."""
    reason = Reason.READ_UNKNOWN
    members = form.closed(value, reason, _READ)
    name, path = form.text(members["read"], reason, 64), form.text(members["path"], reason)
    if not action.NAME.match(name) or not _PATH.fullmatch(path):
        raise Refusal(reason, "name or path")
    return Read(name, form.text(members["intent"], reason, action.MAX_LABEL), path, members)


def want(location: str, reads: Sequence[Read], duration: int) -> Wanted:
    """Give what a session over these reads, in this order, is for."""
    documents: list[Json] = [read.document for read in reads]
    return Wanted(location, tuple(read.name for read in reads), canonical.digest(documents), duration)


def parse_details(value: Json, reason: Reason) -> Wanted:
    """Read an `authorization_details` array that holds exactly one object with exactly its members; else refuse."""
    if not isinstance(value, list) or len(value) != 1:
        raise Refusal(reason, "not exactly one object")
    members = form.closed(value[0], reason, _DETAILS)
    locations, duration = form.texts(members["locations"], reason, 1), form.integer(members["duration"], reason)
    if members["type"] != TYPE or not SHORTEST <= duration <= LONGEST:
        raise Refusal(reason, "type or duration")
    names = form.texts(members["datatypes"], reason, MAX_READS)
    if not all(action.NAME.match(name) for name in names):
        raise Refusal(reason, "a name")
    return Wanted(locations[0], names, form.digest(members["datatypes_digest"], reason), duration)


def render(reads: Sequence[Read], duration: int) -> tuple[Line, ...]:
    """Give the lines that a person is shown: how long, then each read by what the service says of it."""
    first = ("intent", "Let an agent read", "text", f"For \u00ab{duration}\u00bb seconds at most, as often as it likes")
    return (first, *(("parameter", read.intent, "text", display.escape(read.name)) for read in reads))


def parse_statement(value: Json) -> Statement:
    """Read a statement over reads whose members are exactly these; refuses `statement_malformed`."""
    reason = Reason.STATEMENT_MALFORMED
    members = form.closed(value, reason, _STATEMENT)
    return Statement(
        iss=form.text(members["iss"], reason),
        aud=form.text(members["aud"], reason),
        sub=form.text(members["sub"], reason, 255),
        client_id=form.text(members["client_id"], reason),
        jkt=form.digest(members["jkt"], reason),
        iat=form.integer(members["iat"], reason),
        exp=form.integer(members["exp"], reason),
        nonce=approval.nonce(members["nonce"]),
        wanted=parse_details(members["authorization_details"], reason),
        display=form.digest(members["display"], reason),
    )
