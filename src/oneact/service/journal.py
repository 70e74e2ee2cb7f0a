r"""The service's own record: a chain of entries, each of which holds fast all that came before it.

content_digest = base64url(SHA-256(JCS(content)))
hash = base64url(SHA-256("oneact-journal-1\n" | hash of the entry before | JCS({seq, at, kind, content_digest})))

The hash before goes in as its 32 octets, zeros for the first entry. Since the chain holds digests, a content can be
erased without touching it; each content has a salt of 16 random octets, so that its digest then tells nothing.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url, canonical, form, roster

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from oneact.protocol.canonical import Json
    from oneact.protocol.roster import Roster
    from oneact.service.store.contract import Link, Outcome, Spend, SpendKey, Vouched

SALT_OCTETS: Final = 16
_TAG: Final = b"oneact-journal-1\n"
_BEFORE_THE_FIRST: Final = bytes(32)
_COLUMNS: Final = 6


class Kind(StrEnum):
    """What an entry records."""

    SPENT = "spent"
    FINISHED = "finished"
    LINKED = "linked"
    UNLINKED = "unlinked"
    ROSTER_PINNED = "roster_pinned"
    UNLINK_STARTED = "unlink_started"
    UNLINK_CANCELLED = "unlink_cancelled"


class Draft(NamedTuple):
    """An entry without its place in the chain: `at` in seconds, `content` as its JCS."""

    kind: Kind
    at: int
    content: str
    content_digest: str


class JournalEntry(NamedTuple):
    """One entry: `seq` from 1 without gaps, `at` in seconds, `content` None where it was erased."""

    seq: int
    at: int
    kind: Kind
    content: dict[str, Json] | None
    content_digest: str
    hash: str


_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "deadline_at": (int,),
    "token": (str, type(None)),
    "roster": (dict,),
    "proof": (dict, str, type(None)),
}  # all others are texts
_KEY: Final = frozenset({"aud", "iss", "txn", "salt"})
_ROSTER: Final = frozenset({"account", "roster", "salt"})
_WAIT: Final = frozenset({"account", "salt"})
_MEMBERS: Final = {
    Kind.SPENT: _KEY | {"jti", "sub", "client_id", "jkt", "act_digest", "account", "action", "deadline_at", "token"},
    Kind.FINISHED: _KEY | {"state", "receipt"},
    Kind.LINKED: _ROSTER | {"proof"},
    Kind.UNLINKED: _ROSTER,
    Kind.ROSTER_PINNED: _ROSTER | {"proof"},
    Kind.UNLINK_STARTED: _WAIT,
    Kind.UNLINK_CANCELLED: _WAIT | {"by"},
}


def spent(spend: Spend, salt: bytes) -> Draft:
    """Record a spend, with the token by which the person's approval can be shown later."""
    holder = spend.holder
    content: dict[str, Json] = {
        **_key(spend.key),
        "jti": spend.jti,
        "sub": holder.sub,
        "client_id": holder.client_id,
        "jkt": holder.jkt,
        "act_digest": holder.act_digest,
        "account": spend.account,
        "action": spend.action,
        "deadline_at": spend.deadline_at,
        "token": spend.token,
    }
    return _draft(Kind.SPENT, spend.spent_at, content, salt)


def finished(key: SpendKey, outcome: Outcome, salt: bytes) -> Draft:
    """Record what became of a spend."""
    content = {**_key(key), "state": outcome.state, "receipt": outcome.receipt}
    return _draft(Kind.FINISHED, outcome.at, content, salt)


def linked(link: Link, salt: bytes) -> Draft:
    """Record a link, with the roster that is pinned by it."""
    content: dict[str, Json] = {"account": link.account, "roster": link.roster.members(), "proof": link.proof}
    return _draft(Kind.LINKED, link.linked_at, content, salt)


def unlinked(account: str, pinned: Roster, now: int, salt: bytes) -> Draft:
    """Record the end of a link, with the roster that was pinned last."""
    return _draft(Kind.UNLINKED, now, {"account": account, "roster": pinned.members()}, salt)


def roster_pinned(account: str, later: Roster, proof: Vouched, now: int, salt: bytes) -> Draft:
    """Record a later roster of a linked person, with what vouches for it."""
    content: dict[str, Json] = {"account": account, "roster": later.members(), "proof": proof}
    return _draft(Kind.ROSTER_PINNED, now, content, salt)


def unlink_started(account: str, now: int, salt: bytes) -> Draft:
    """Record that a wait for an unlinking without a passkey has begun."""
    return _draft(Kind.UNLINK_STARTED, now, {"account": account}, salt)


def unlink_cancelled(account: str, by: str, now: int, salt: bytes) -> Draft:
    """Record that such a wait was cancelled, by a `passkey` or from a `session`."""
    return _draft(Kind.UNLINK_CANCELLED, now, {"account": account, "by": by}, salt)


def hash_of(kind: Kind, at: int, content_digest: str, seq: int, before: str | None) -> str:
    """Give the hash of an entry that follows the one whose hash is `before`, None for the first."""
    entry: dict[str, Json] = {"seq": seq, "at": at, "kind": kind.value, "content_digest": content_digest}
    octets = _BEFORE_THE_FIRST if before is None else base64url.decode(before, Reason.LOG_MALFORMED)
    return base64url.encode(hashlib.sha256(_TAG + octets + canonical.encode(entry)).digest())


def parse(row: Sequence[object]) -> JournalEntry:
    """Read a row `(seq, at, kind, content, content_digest, hash)`; refuses `log_malformed` for what is no entry.

    A content has exactly the members of its kind and stands in its canonical form.
    """
    if len(row) != _COLUMNS:
        raise Refusal(Reason.LOG_MALFORMED, "not six columns")
    seq, at, kind, content, content_digest, hashed = row
    if type(seq) is not int or type(at) is not int or seq < 1 or at < 0:
        raise Refusal(Reason.LOG_MALFORMED, "a number is none")
    if not isinstance(kind, str) or kind not in set(Kind):
        raise Refusal(Reason.LOG_MALFORMED, "no such kind")
    return JournalEntry(seq, at, Kind(kind), _content(Kind(kind), content), _digest(content_digest), _digest(hashed))


def check_next(entry: JournalEntry, before: JournalEntry | None) -> None:
    """Refuse an entry that does not follow the one before it, None for the first.

    Refuses `log_commitment` where its content is not what was hashed, `log_consistency` where it stands in a place
    that is not its own: the entry was changed, or one was taken out, put in or moved.
    """
    if entry.content is not None and canonical.digest(entry.content) != entry.content_digest:
        raise Refusal(Reason.LOG_COMMITMENT, "its content is not what was hashed")
    if entry.seq != (before.seq + 1 if before else 1):
        raise Refusal(Reason.LOG_CONSISTENCY, "an entry before it is missing")
    if entry.hash != hash_of(entry.kind, entry.at, entry.content_digest, entry.seq, before.hash if before else None):
        raise Refusal(Reason.LOG_CONSISTENCY, "it does not follow the entry before it")


def check(entries: Iterable[JournalEntry], before: JournalEntry | None = None) -> JournalEntry | None:
    """Give the last entry of a chain that goes on from `before`; refuses the first broken one, as `check_next`."""
    for entry in entries:
        check_next(entry, before)
        before = entry
    return before


def _key(key: SpendKey) -> dict[str, Json]:
    return {"aud": key.aud, "iss": key.iss, "txn": key.txn}


def _draft(kind: Kind, at: int, content: dict[str, Json], salt: bytes) -> Draft:
    if len(salt) != SALT_OCTETS:
        raise ValueError("the salt is not 16 octets")
    octets = canonical.encode({**content, "salt": base64url.encode(salt)})
    return Draft(kind, at, octets.decode(), canonical.sha256(octets))


def _digest(value: object) -> str:
    found = form.digest(value if isinstance(value, str) else None, Reason.LOG_MALFORMED)
    base64url.decode(found, Reason.LOG_MALFORMED)
    return found


def _content(kind: Kind, text: object) -> dict[str, Json] | None:
    if text is None:
        return None
    octets = text.encode() if isinstance(text, str) else b""
    try:
        content = form.closed(canonical.parse(octets), Reason.LOG_MALFORMED, _MEMBERS[kind])
        if "roster" in content:
            roster.parse(content["roster"])
    except Refusal as refusal:
        raise Refusal(Reason.LOG_MALFORMED, f"its content is none: {refusal.detail}") from refusal
    if canonical.encode(content) != octets:
        raise Refusal(Reason.LOG_MALFORMED, "its content is not in its canonical form")
    for name, value in content.items():
        if type(value) not in _TYPES.get(name, (str,)):
            raise Refusal(Reason.LOG_MALFORMED, f"{name} is not of its type")
    return content
