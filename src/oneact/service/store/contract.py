"""What the guard asks of the service's database, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.roster import Roster
    from oneact.service.checks import Account
    from oneact.service.journal import JournalEntry

State = Literal["spent", "executed", "failed", "unknown"]
# What vouches for a roster: a passkey's assertion, or the approval server's JWS; None where it is not known.
Vouched: TypeAlias = "dict[str, Json] | str | None"


class SpendKey(NamedTuple):
    """The one key of a spend: the service, the approval server, the transaction."""

    aud: str
    iss: str
    txn: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose a spend is: equal in all members means the same holder with the same act."""

    sub: str
    client_id: str
    jkt: str
    act_digest: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A handler's answer as it is kept; `body` is None where it was over 64 KiB. `salt` is the receipt's, 16 octets."""

    status: int
    content_type: str
    body: bytes | None
    salt: bytes


@dataclass(frozen=True, slots=True)
class Spend:
    """One use of an approval; times are seconds. `receipt` and `kept` are None while the act runs.

    `token` is the action token as it was shown. Only the journal keeps it: a spend that is read back has None.
    """

    key: SpendKey
    holder: Holder
    jti: str
    account: str
    action: str
    spent_at: int
    deadline_at: int
    state: State = "spent"
    receipt: str | None = None
    kept: Kept | None = None
    token: str | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a spend, with the receipt that says so."""

    state: State
    receipt: str
    at: int
    kept: Kept | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A local account's link to a person at an approval server, with the roster that is pinned.

    `proof` is what vouched for the roster when it was linked. Only the journal keeps it.
    """

    account: str
    roster: Roster
    linked_at: int
    proof: Vouched = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class LinkState:
    """A linking under way in one browser; `state` and `session` are digests of what the browser holds."""

    state: str
    session: str
    account: str
    label: str
    issuer: str
    nonce: str
    verifier: str
    expires: int


@dataclass(frozen=True, slots=True)
class Unlinking:
    """A wait for the unlinking of an account without a passkey; `told_at` is when the first notice went out."""

    account: str
    asked_at: int
    told_at: int | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A receipt that waits for its approval server."""

    id: int
    iss: str
    receipt: str
    attempts: int


class Store(Protocol):
    """A database of the service.

    Every change is atomic, and durable when the call returns: it survives a crash of the process or the machine.
    Changes by several processes behave as if they ran one after another. Whatever cannot be done or decided raises
    `Refusal(STORE_UNAVAILABLE)`; no call ever answers by a default.

    `spend`, `finish`, `link`, `unlink`, `pin` `admit`, `remove_approver` and the three that start, cancel and
    finish an unlinking write what they changed into the journal, in the same transaction; where they change
    nothing, they write nothing. The journal is one chain, whichever processes write to it.
    """

    async def open(self) -> None:
        """Bring the database to the newest migration; may be called again, and by several processes at once."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...

    async def spend(self, spend: Spend) -> bool:
        """Record a new spend; False, and nothing changed, where one of this key exists."""
        ...

    async def find_spend(self, key: SpendKey) -> Spend | None:
        """Give the spend of this key; sees every spend that has been acknowledged to any process."""
        ...

    async def finish(self, key: SpendKey, outcome: Outcome) -> bool:
        """Record what became of a spend, and put its receipt in the outbox in the same transaction.

        Holds only while the spend is `spent`, or is `unknown` and the outcome is not: else False, nothing changed.
        """
        ...

    async def overdue(self, now: int) -> list[Spend]:
        """Give spends, some hundred at most, that are `spent` though their deadline lies before `now`."""
        ...

    async def forget_spends(self, before: int) -> None:
        """Delete finished spends from before that second whose receipt has been delivered; the journal keeps theirs."""
        ...

    async def account(self, iss: str, sub: str) -> Account | None:
        """Give the local account to which this person is linked, with all its approvers.

        `unlinking` says whether a wait for its unlinking runs, one past its end included.
        """
        ...

    async def links(self, account: str) -> list[Link]:
        """Give the links of a local account."""
        ...

    async def issuer_is_linked(self, iss: str) -> bool:
        """Tell whether any account is linked to a person at this approval server."""
        ...

    async def find_link(self, iss: str, sub: str) -> Link | None:
        """Give the link of this person."""
        ...

    async def link(self, link: Link) -> bool:
        """Record a link; False, and nothing changed, where the person is linked or the account has a link."""
        ...

    async def propose(self, link: Link, code: str, now: int, expires: int, most: int) -> bool:
        """Keep a person who would be a further approver, until `expires`.

        False, and nothing changed, where the account has no link, where the person is linked or kept already, and
        where `most` are kept for the account.
        """
        ...

    async def admit(self, account: str, iss: str, code: str, now: int, most: int) -> bool:
        """Link the person who is kept for the account under that code; they are kept no longer.

        False where there is none, and unless the account has from 1 to `most` - 1 links.
        """
        ...

    async def remove_approver(self, account: str, iss: str, sub: str, now: int) -> bool:
        """Delete this person's link to the account; False where there is none or it is the account's last."""
        ...

    async def unlink(self, account: str, iss: str, now: int) -> bool:
        """Delete the account's links to that approval server, and what there is of a wait; False without a link."""
        ...

    async def start_unlinking(self, account: str, now: int, cancelled: int, expired: int) -> bool:
        """Begin to wait for an unlinking without a passkey, with a notice due at once.

        False, and nothing changed, where the account has no link, where one was cancelled after second `cancelled`,
        and where a wait runs, unless its first notice went out at `expired` or before.
        """
        ...

    async def unlinking(self, account: str) -> Unlinking | None:
        """Give the wait of an account that nobody has cancelled."""
        ...

    async def claim_unlinkings(self, now: int, expired: int, until: int) -> list[str]:
        """Give accounts whose notice is due, and make it due again at `until` for everyone else.

        A wait whose first notice went out at `expired` or before is left alone.
        """
        ...

    async def told_unlinking(self, account: str, now: int, again: int) -> None:
        """Record that a notice went out, and make the next one due at `again`."""
        ...

    async def cancel_unlinking(self, account: str, by: str, now: int) -> bool:
        """End a wait; False where none runs. `by` is `passkey` or `session`, for the journal."""
        ...

    async def finish_unlinking(self, account: str, now: int, told_by: int, expired: int) -> bool:
        """Delete every link of the account and end the wait.

        False, and nothing changed, unless a wait runs whose first notice went out at `told_by` or before and after
        `expired`.
        """
        ...

    async def pin(self, roster: Roster, before: int, now: int, proof: Vouched = None) -> bool:
        """Replace the pinned roster of a linked person, whose `seq` is `before`, by one of a higher `seq`.

        False, and nothing changed, where another is pinned by now: the new one was not held against that.
        """
        ...

    async def journal(self, after: int, limit: int) -> list[JournalEntry]:
        """Give the entries whose `seq` is over `after`, in their order, at most `limit` of them.

        An entry once acknowledged to any process is given unchanged for ever, except that its content may have been
        erased. Refuses `log_malformed` for what is no entry.
        """
        ...

    async def keep_state(self, state: LinkState) -> None:
        """Record a linking under way, and delete those that have expired by `state.expires - 600`."""
        ...

    async def take_state(self, state: str) -> LinkState | None:
        """Give and delete a linking under way: of two callers one gets it."""
        ...

    async def keep_action(self, digest: str, document: dict[str, Json], now: int) -> None:
        """Record the description of an action by its digest, so that a later release can still serve it."""
        ...

    async def find_action(self, digest: str) -> dict[str, Json] | None:
        """Give the description of that digest."""
        ...

    async def claim_deliveries(self, now: int, until: int) -> list[Delivery]:
        """Give receipts that are due, some dozens at most, and make them due again at `until` for everyone else."""
        ...

    async def delivered(self, delivery: Delivery) -> None:
        """Take a receipt out of the outbox, unless another has taken its place."""
        ...

    async def postpone(self, delivery: Delivery, due: int) -> None:
        """Count a failed attempt and make the receipt due at that second."""
        ...
