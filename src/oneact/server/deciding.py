"""Deciding: what a person is shown of a request, their yes by passkey, their no.

What the passkey signs is built here from what is stored, and what is stored is what was shown: the digest of the very
lines that the page gets is the one that the statement's items name.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import approval, canonical, display, form, roster, token
from oneact.protocol.ended import MAX_MESSAGE
from oneact.server import ciba, ending, gestures, passkeys, tokens
from oneact.server.lifecycle import TRANSITIONS, Event, State
from oneact.store import Write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oneact.protocol.approval import Statement
    from oneact.protocol.canonical import Json
    from oneact.protocol.display import Line
    from oneact.protocol.passkey import Assertion, Credential
    from oneact.protocol.roster import Roster
    from oneact.server.sessions import Session
    from oneact.server.world import World
    from oneact.store.contract import Row

_under_way: set[asyncio.Task[None]] = set()  # the event loop itself keeps tasks by weak references only


@dataclass(frozen=True, slots=True)
class Shown:
    """One request as its person sees it: the row, and the lines whose digest is in what they sign."""

    row: Row
    lines: tuple[Line, ...]

    @property
    def id(self) -> str:
        """Give the request's identifier."""
        return str(self.row["id"])

    def open(self, now: int) -> bool:
        """Tell whether the request can still be decided."""
        gone = self.row["blocked_at"] is not None or self.row["removed_at"] is not None
        standing = not gone and self.row["link_state"] == "linked"
        return self.row["state"] == State.PENDING and now < self.row["expires_at"] and standing

    def item(self) -> str:
        """Give the hash by which a statement names this request."""
        row = self.row
        return approval.item_hash(
            row["resource"], row["sub"], row["txn"], row["act_digest"], display.digest(self.lines)
        )


async def find(world: World, account: str, request_id: str) -> Shown:
    """Give a request of this person; anyone else's is `not_yours`, as is one that does not exist."""
    row = await world.store.one("request_of_person", request_id, account)
    if row is None:
        raise Refusal(Reason.NOT_YOURS, request_id)
    lines = tuple((line[0], line[1], line[2], line[3]) for line in json.loads(row["lines"]))
    if display.digest(lines) != row["display_digest"]:
        raise Refusal(Reason.INTERNAL, "the stored lines are not those of the stored digest")
    return Shown(row, lines)


async def show(world: World, session: Session, request_id: str) -> list[Shown]:
    """Give the request, with all of its batch, and log once what of it was shown."""
    first = await find(world, session.account, request_id)
    found = [first]
    if first.row["batch_id"] is not None:
        rows = await world.store.all("requests_of_batch", first.row["batch_id"], session.account)
        found = [await find(world, session.account, row["id"]) for row in rows]
    for shown in found:
        if shown.row["shown_at"] is None and shown.open(world.now()):
            await _log_shown(world, session, shown)
    return found


async def begin(world: World, session: Session, request_ids: Json) -> dict[str, Json]:
    """Make the statement over these requests at this second; give `{gesture, options}`.

    Only passkeys that the service has pinned and that the account still has may answer. Refuses `not_yours`,
    `not_pending`, `passkey_not_pinned`.
    """
    ids = form.texts(request_ids, Reason.REQUEST_MALFORMED, approval.MAX_ACTS)
    shown = await _together(world, session, ids)
    row, now = shown[0].row, world.now()
    lifetime = approval.LIFETIME_ONE if len(shown) == 1 else approval.LIFETIME_BATCH
    acts = tuple(item.item() for item in shown)
    statement = approval.Statement(
        world.issuer, row["client_id"], row["jkt"], now, now + lifetime, world.new_id(), acts
    )
    allowed = [credential.id for credential in await able(world, session, pinned(row))]
    if not allowed:
        raise Refusal(Reason.PASSKEY_NOT_PINNED, "the service has pinned no passkey that this person has")
    about: dict[str, Json] = {"requests": list(ids)}
    return await gestures.begin(world, approval.APPROVAL, session.id, statement.members(), about, allowed)


async def approve(world: World, session: Session, request_ids: Json, gesture_id: Json, credential: Json) -> None:
    """Verify the gesture over its statement by an able passkey, and approve these requests, all or none.

    Refuses `gesture_unknown`, `statement_item` for other requests than those signed, `statement_time` for a statement
    that has run out, `token_would_be_too_large`, `passkey_not_pinned`, `assertion_…`, `not_pending`.
    """
    gesture = await gestures.take(world, approval.APPROVAL, session.id, gesture_id)
    statement, assertion = approval.parse(gesture.value), gestures.read(credential)
    ids = form.texts(request_ids, Reason.REQUEST_MALFORMED, approval.MAX_ACTS)
    shown = await _together(world, session, ids)
    if gesture.about.get("requests") != list(ids) or tuple(item.item() for item in shown) != statement.acts:
        raise Refusal(Reason.STATEMENT_ITEM, "the statement is over other requests")
    if world.now() >= statement.exp:
        raise Refusal(Reason.STATEMENT_TIME, "the gesture came too late")
    _check_sizes(world, shown, statement, assertion)
    roster_ = pinned(shown[0].row)
    if (roster_.rp_id, roster_.origins) != (world.settings.rp_id, (world.settings.origin,)):
        raise Refusal(Reason.ROSTER_RP_ID, "the service has pinned another RP ID or origin")
    await gestures.verify(world, gesture, assertion, await able(world, session, roster_))
    await _write_approval(world, session, shown, statement, assertion)


async def deny(world: World, session: Session, request_id: str, message: str, *, block: bool = False) -> None:
    """Say no, with words for the agent if there are any; `block` also blocks the agent and denies its other requests.

    Refuses `not_yours`, and `not_pending` where the request was decided before.
    """
    shown = await find(world, session.account, request_id)
    if not await _deny(world, session, shown, message.strip()[:MAX_MESSAGE]):
        raise Refusal(Reason.NOT_PENDING, request_id)
    if block:
        await block_agent(world, session, shown.row["pairing_id"])


async def block_agent(world: World, session: Session, pairing_id: str) -> None:
    """Let an agent ask nothing any more; deny what it has asked, also what is approved and not yet collected."""
    await _end_agent(world, session, pairing_id, "block_pairing", Kind.AGENT_BLOCKED)


async def remove_agent(world: World, session: Session, pairing_id: str) -> None:
    """Forget an agent and deny what it has asked; to ask again it has to be paired anew."""
    await _end_agent(world, session, pairing_id, "remove_pairing", Kind.AGENT_REMOVED)


async def agents(world: World, session: Session) -> list[Row]:
    """Give the paired agents."""
    return await world.store.all("pairings_of_account", session.account)


async def _end_agent(world: World, session: Session, pairing_id: str, write: str, kind: Kind) -> None:
    row, now = await world.store.one("pairing", pairing_id, session.account), world.now()
    if row is None:
        raise Refusal(Reason.NOT_YOURS, pairing_id)
    content: dict[str, Json] = {"pairing": pairing_id, **{name: row[name] for name in ("client_id", "jkt", "name")}}
    entry = Entry(kind, now, session.account, "", content)
    await world.store.change([Write(write, (pairing_id, session.account, now))], [entry])
    for pending in await world.store.all("pending_of_pairing", pairing_id, session.account, now):
        await _deny(world, session, await find(world, session.account, pending["id"]), "")
    await ending.withdraw_where(world, session.account, lambda approved: bool(approved["pairing_id"] == pairing_id))


async def _log_shown(world: World, session: Session, shown: Shown) -> None:
    now, row = world.now(), shown.row
    entry = Entry(Kind.SHOWN, now, session.account, shown.id, {"display": row["display_digest"]})
    first = await world.store.change([Write("show_request", (shown.id, now))], [entry])
    if first and row["ping_token"] is not None and not world.waiting.listening(shown.id, now):
        _start_ping(world, row)  # a sleeping agent is woken before Approve is offered


async def _together(world: World, session: Session, ids: Sequence[str]) -> list[Shown]:
    """Give requests that one statement may cover: open, shown, of one agent, one link and, if several, one batch."""
    shown = [await find(world, session.account, identifier) for identifier in ids]
    now, first = world.now(), shown[0].row
    for item in shown:
        if not item.open(now) or item.row["shown_at"] is None:
            raise Refusal(Reason.NOT_PENDING, item.id)
        if any(item.row[name] != first[name] for name in ("client_id", "jkt", "link_id", "batch_id")):
            raise Refusal(Reason.STATEMENT_ITEM, "not of one batch")
    if len(shown) > 1 and first["batch_id"] is None:
        raise Refusal(Reason.STATEMENT_ITEM, "not of one batch")
    return shown


def _check_sizes(world: World, shown: Sequence[Shown], statement: Statement, assertion: Assertion) -> None:
    approvals = token.approvals_members([token.Approval(statement, assertion)])
    for item in shown:
        tokens.check_size(world, {**item.row, "auth_time": world.now(), "approved_until": statement.exp}, approvals)


def pinned(row: Row) -> Roster:
    """Give the roster that a service has pinned, of a row that has its link's."""
    return roster.parse(canonical.parse(row["roster"].encode()))


async def able(world: World, session: Session, pinned: Roster) -> list[Credential]:
    """Give the pinned passkeys that the account still has: a removed one approves nothing, whoever has it pinned."""
    known = await passkeys.of_account(world, session.account)
    return [item for item in pinned.credentials if item in known]


async def _write_approval(
    world: World, session: Session, shown: Sequence[Shown], statement: Statement, assertion: Assertion
) -> None:
    target, kind = TRANSITIONS[State.PENDING, Event.APPROVE]
    approvals: list[Json] = [{"statement": statement.members(), "webauthn": assertion.members()}]
    now, kept, signer = world.now(), canonical.encode(approvals).decode(), assertion.credential_id
    writes = [Write("approve_request", (item.id, kept, statement.exp, now, signer)) for item in shown]
    content: dict[str, Json] = {"approvals": approvals, "state": target.value}
    entries = [Entry(kind, now, session.account, item.id, content) for item in shown]
    if not await world.store.change(writes, entries):
        raise Refusal(Reason.NOT_PENDING, "decided at this moment, or too late")
    for item in shown:
        _tell(world, item.row)


async def _deny(world: World, session: Session, shown: Shown, message: str) -> bool:
    target, kind = TRANSITIONS[State.PENDING, Event.DENY]
    now, ended = world.now(), ending.statement(world, shown.row, target, message)
    entry = Entry(kind, now, session.account, shown.id, {"statement": ended})
    done = await world.store.change([Write("deny_request", (shown.id, now, ended, message or None))], [entry])
    if done:
        _tell(world, shown.row)
    return done


def _tell(world: World, row: Row) -> None:
    world.waiting.wake(row["id"])
    world.waiting.wake(row["account_id"])
    if row["ping_token"] is not None:
        _start_ping(world, row)


def _start_ping(world: World, row: Row) -> None:
    task = asyncio.create_task(ciba.ping(world, row))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
