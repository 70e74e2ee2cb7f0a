"""The service's own record: its journal, read through once.

1. Chain: each entry is what was hashed and follows the one before; a changed, deleted, inserted or moved one fails.
2. Head: the chain runs through a head that was kept elsewhere; a journal that was written anew as a whole fails.
3. Spends: a key is spent once, and by the token that is kept with it.
4. Approvals: that token carries the signature of a passkey that had been pinned for the account.
5. Outcomes: one for each spend, or `unknown` and then one.
6. Receipts: signed with the service's key, and saying what their entry says.

An erased content can neither be compared nor held against anyone: what it may have said is not missed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from oneact.errors import Refusal
from oneact.protocol import canonical, jws, passkey, receipt, roster, token
from oneact.service import journal
from oneact.service.audit.finding import Fault, Finding
from oneact.service.journal import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey
    from oneact.protocol.receipt import Receipt
    from oneact.protocol.roster import Roster
    from oneact.protocol.token import ActionToken, Approval
    from oneact.service.journal import JournalEntry

Key: TypeAlias = tuple[str, str, str]  # aud, iss, txn
Person: TypeAlias = tuple[str, str]  # iss, sub
_WAITS: Final = frozenset({Kind.UNLINK_STARTED, Kind.UNLINK_CANCELLED})
Keys: TypeAlias = "Mapping[str, PublicKey] | None"  # by kid; None where signatures are not verified


class Ended(NamedTuple):
    """One outcome of an act, by its entry; `said` is the receipt as it was read, None where it could not be."""

    at: int
    state: str
    receipt: str
    said: Receipt | None


@dataclass(slots=True)
class Act:
    """What the journal says of one act; `spent` is None where that entry was erased, `token` is a digest."""

    spent: dict[str, Json] | None = None
    since: int = 0
    token: str | None = None
    ended: list[Ended] = field(default_factory=list)


@dataclass(slots=True)
class Record:
    """A journal that was read through; `erased` gives for each kind the last second of an erased entry.

    `waits` are the accounts that wait for an unlinking without a passkey, each with the second of its begin.
    """

    acts: dict[Key, Act] = field(default_factory=dict)
    links: dict[Person, tuple[str, Roster]] = field(default_factory=dict)
    rosters: dict[str, list[Roster]] = field(default_factory=dict)
    waits: dict[str, int] = field(default_factory=dict)
    erased: dict[Kind, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    entries: int = 0
    erased_entries: int = 0
    head: JournalEntry | None = None

    def find(self, fault: Fault, entry: object, says: str) -> None:
        """Note what is wrong with an entry."""
        self.findings.append(Finding(fault, f"entry {entry}", says))

    def may_be_erased(self, kind: Kind, since: int) -> bool:
        """Tell whether an entry of this kind, of that second or later, was erased."""
        return self.erased.get(kind, -1) >= since


def read(rows: Iterable[Sequence[object]], keys: Keys, kept: tuple[int, str] | None = None) -> Record:
    """Read the journal's rows in their order and make checks 1 to 6, but for what is wanting.

    `kept` is a head, `seq` and hash, that was noted earlier.
    """
    record = Record()
    for row in rows:
        record.entries += 1
        try:
            entry = journal.parse(row)
        except Refusal as refusal:
            record.find(Fault.CHAIN, row[0], refusal.detail)
            continue
        _check_chain(record, entry, kept)
        record.head = entry
        if entry.content is None:
            record.erased_entries += 1
            record.erased[entry.kind] = max(entry.at, record.erased.get(entry.kind, 0))
        elif entry.kind is Kind.SPENT:
            _spent(record, entry, entry.content)
        elif entry.kind is Kind.FINISHED:
            _finished(record, entry, entry.content, keys)
        elif entry.kind in _WAITS:
            _waited(record, entry, str(entry.content["account"]))
        else:
            _linked(record, entry, entry.content)
    if kept is not None and (record.head is None or record.head.seq < kept[0]):
        record.find(Fault.HEAD, kept[0], "the journal ends before the head that was kept")
    return record


def signature_faults(what: str, parsed: jws.Jws, faults: jws.Faults, keys: Keys) -> Iterator[str]:
    """Say why something is not the service's word: by no key of it, or with a signature that does not verify."""
    if keys is None:
        return
    try:
        jws.verify_with(parsed, keys, faults)
    except Refusal as refusal:
        yield f"{what} is not signed with a key of the service: {refusal.detail}"


def token_faults(found: ActionToken, spent: Mapping[str, Json]) -> list[str]:
    """Name the members in which a token is not that of a spend."""
    claimed = {
        "aud": found.aud, "iss": found.iss, "txn": found.txn, "jti": found.jti, "sub": found.sub,
        "client_id": found.client_id, "jkt": found.jkt, "act_digest": token.parse_act(found).digest,
    }  # fmt: skip
    return [name for name, value in claimed.items() if spent[name] != value]


def _check_chain(record: Record, entry: JournalEntry, kept: tuple[int, str] | None) -> None:
    """Make checks 1 and 2; after a broken entry the chain is followed on from there."""
    try:
        journal.check_next(entry, record.head)
    except Refusal as refusal:
        record.find(Fault.CHAIN, entry.seq, refusal.detail)
    if kept is not None and entry.seq == kept[0] and entry.hash != kept[1]:
        record.find(Fault.HEAD, entry.seq, "it is not the head that was kept: the journal was written anew")


def _key(content: Mapping[str, Json]) -> Key:
    return str(content["aud"]), str(content["iss"]), str(content["txn"])


def _spent(record: Record, entry: JournalEntry, content: dict[str, Json]) -> None:
    """Make checks 3 and 4."""
    act = record.acts.setdefault(_key(content), Act())
    if act.spent is not None or act.ended:
        record.find(Fault.SPEND, entry.seq, f"act {content['txn']} is spent a second time")
        return
    text = content.pop("token")
    act.spent, act.since = content, entry.at
    if isinstance(text, str):
        act.token = canonical.sha256(text.encode())
        _check_token(record, entry.seq, text, content)


def _check_token(record: Record, seq: int, text: str, spent: dict[str, Json]) -> None:
    try:
        found, _ = token.parse(text)
        differing, approvals = token_faults(found, spent), token.parse_approvals(found)
    except Refusal as refusal:
        record.find(Fault.SPEND, seq, f"its token cannot be read: {refusal.detail}")
        return
    if differing:
        record.find(Fault.SPEND, seq, f"its token is not of this act: {', '.join(differing)}")
    rosters = record.rosters.get(str(spent["account"]), [])
    unknown = not rosters and record.may_be_erased(Kind.LINKED, 0)
    if not unknown and not all(_approved(given, found, rosters) for given in approvals):
        record.find(Fault.APPROVAL, seq, "its token is not signed by a passkey that had been pinned for the account")


def _approved(given: Approval, found: ActionToken, rosters: Sequence[Roster]) -> bool:
    """Tell whether a pinned passkey signed this approval, for the token's agent; any roster so far may hold it."""
    statement = given.statement
    if (statement.iss, statement.client_id, statement.jkt) != (found.iss, found.client_id, found.jkt):
        return False
    for pinned in rosters:
        credential = pinned.credential(given.webauthn.credential_id) if pinned.iss == found.iss else None
        if credential is None:
            continue
        try:
            passkey.verify(given.webauthn, credential, statement.challenge(), pinned.rp_id, pinned.origins)
        except Refusal:
            continue
        return True
    return False


def _finished(record: Record, entry: JournalEntry, content: dict[str, Json], keys: Keys) -> None:
    """Make checks 5 and 6."""
    key, state, text = _key(content), str(content["state"]), str(content["receipt"])
    act = record.acts.get(key)
    if act is None:
        act = record.acts[key] = Act(since=entry.at)
        if not record.may_be_erased(Kind.SPENT, 0):
            record.find(Fault.OUTCOME, entry.seq, f"an outcome of act {key[2]}, which was never spent")
    if act.ended and ([ended.state for ended in act.ended] != ["unknown"] or state == "unknown"):
        record.find(Fault.OUTCOME, entry.seq, f"act {key[2]} has an outcome already: {act.ended[-1].state}")
    said = None
    try:
        said, parsed = receipt.parse(text)
    except Refusal as refusal:
        record.find(Fault.RECEIPT, entry.seq, f"its receipt cannot be read: {refusal.detail}")
    else:
        unsigned = signature_faults("its receipt", parsed, receipt.FAULTS, keys)
        for says in (*unsigned, *_says_otherwise(said, key, state, act.spent)):
            record.find(Fault.RECEIPT, entry.seq, says)
    act.ended.append(Ended(entry.at, state, text, said))


def _says_otherwise(said: Receipt, key: Key, state: str, spent: Mapping[str, Json] | None) -> Iterator[str]:
    expected: dict[str, Json] = {"iss": key[0], "aud": key[1], "txn": key[2], "status": state}
    if spent is not None:
        expected |= {name: spent[name] for name in ("sub", "jti", "act_digest")}
    claims = said.claims()
    differing = [name for name, value in expected.items() if claims[name] != value]
    if differing:
        yield f"its receipt does not say what the entry says: {', '.join(differing)}"


def _linked(record: Record, entry: JournalEntry, content: dict[str, Json]) -> None:
    """Follow the links, as which rosters were pinned when (checks 4 and 8)."""
    pinned, account = roster.parse(content["roster"]), str(content["account"])
    person = (pinned.iss, pinned.sub)
    held = record.links.pop(person, None)
    if held is None:
        follows = entry.kind is Kind.LINKED or record.may_be_erased(Kind.LINKED, 0)
    elif entry.kind is Kind.ROSTER_PINNED:
        follows = held[0] == account and held[1].seq < pinned.seq
    elif entry.kind is Kind.UNLINKED:
        follows = held == (account, pinned) or record.may_be_erased(Kind.ROSTER_PINNED, 0)
    else:
        follows = record.may_be_erased(Kind.UNLINKED, 0)
    if not follows:
        record.find(Fault.LINK, entry.seq, f"{entry.kind.value} does not follow from the links before it")
    for says in _vouching_faults(content.get("proof"), pinned, held[1] if held else None, entry.kind):
        record.find(Fault.LINK, entry.seq, says)
    if entry.kind is Kind.UNLINKED:
        record.waits.pop(account, None)
    else:
        record.links[person] = (account, pinned)
        record.rosters.setdefault(account, []).append(pinned)


def _vouching_faults(proof: Json, pinned: Roster, before: Roster | None, kind: Kind) -> Iterator[str]:
    """Say why nothing vouches for a roster (check 8); where its proof is not known, nothing can be said.

    What the approval server signed by itself has to be this roster and to take passkeys away; its signature cannot be
    verified here, since the server's keys of that day are not at hand.
    """
    try:
        if isinstance(proof, dict):
            signed = roster.SignedRoster(pinned, passkey.parse_assertion(proof))
            if kind is Kind.LINKED:
                roster.check_first(signed, pinned.iss, pinned.aud, pinned.sub)
            elif before is not None:
                roster.check_next(signed, before)
        elif isinstance(proof, str):
            roster.check_claimed_removal(proof, pinned, before)
    except Refusal as refusal:
        yield f"no passkey that was pinned vouches for its roster: {refusal}"


def _waited(record: Record, entry: JournalEntry, account: str) -> None:
    """Follow the waits for an unlinking without a passkey (check 8)."""
    since = record.waits.pop(account, None)
    if entry.kind is Kind.UNLINK_CANCELLED:
        follows = since is not None or record.may_be_erased(Kind.UNLINK_STARTED, 0)
    else:
        linked = any(held == account for held, _ in record.links.values())
        follows = linked or record.may_be_erased(Kind.LINKED, 0)
        record.waits[account] = entry.at
    if not follows:
        record.find(Fault.LINK, entry.seq, f"{entry.kind.value} does not follow from the entries before it")
