"""Opening read sessions, the person's half: what they are shown, their yes by passkey, their no, and its end."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import approval, canonical, display, form, passkey, read_token, reading
from oneact.protocol.ended import MAX_MESSAGE
from oneact.server import deciding, gestures, readsessions
from oneact.store import Write

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.display import Line
    from oneact.protocol.reading import Wanted
    from oneact.server.sessions import Session
    from oneact.server.world import World
    from oneact.store.contract import Row


@dataclass(frozen=True, slots=True)
class Shown:
    """One session as its person sees it: the row, what it is for, and the lines whose digest is in what they sign."""

    row: Row
    wanted: Wanted
    lines: tuple[Line, ...]

    def pending(self, now: int) -> bool:
        """Tell whether it can still be decided."""
        gone = self.row["blocked_at"] is not None or self.row["removed_at"] is not None
        standing = not gone and self.row["link_state"] == "linked"
        return bool(self.row["state"] == "pending" and now < self.row["expires_at"] and standing)

    def open(self, now: int) -> bool:
        """Tell whether it is open."""
        return bool(self.row["state"] == "opened" and now < self.row["until"])


async def find(world: World, account: str, identifier: str) -> Shown:
    """Give a session of this person; anyone else's is `not_yours`, as is one that does not exist."""
    row = await world.store.one("read_session_of_person", identifier, account)
    if row is None:
        raise Refusal(Reason.NOT_YOURS, identifier)
    wanted = reading.parse_details([canonical.parse(row["details"].encode())], Reason.INTERNAL)
    lines = tuple((line[0], line[1], line[2], line[3]) for line in json.loads(row["lines"]))
    if display.digest(lines) != row["display_digest"]:
        raise Refusal(Reason.INTERNAL, "the stored lines are not those of the stored digest")
    return Shown(row, wanted, lines)


async def show(world: World, session: Session, identifier: str) -> Shown:
    """Give a session, and log once that it was shown."""
    shown, now = await find(world, session.account, identifier), world.now()
    if shown.row["shown_at"] is None and shown.pending(now):
        content: dict[str, Json] = {"display": shown.row["display_digest"]}
        entry = Entry(Kind.READ_SHOWN, now, session.account, identifier, content)
        await world.store.change([Write("show_read_session", (identifier, now))], [entry])
    return shown


async def begin(world: World, session: Session, identifier: Json) -> dict[str, Json]:
    """Make the statement over a session at this second; give `{gesture, options}`.

    Refuses `not_yours`, `not_pending`, `passkey_not_pinned`.
    """
    shown, now = await _pending(world, session, identifier), world.now()
    row = shown.row
    statement = reading.Statement(
        world.issuer, row["resource"], row["sub"], row["client_id"], row["jkt"], now, now + shown.wanted.duration,
        world.new_id(), shown.wanted, row["display_digest"],
    )  # fmt: skip
    allowed = [credential.id for credential in await deciding.able(world, session, deciding.pinned(row))]
    if not allowed:
        raise Refusal(Reason.PASSKEY_NOT_PINNED, "the service has pinned no passkey that this person has")
    about: dict[str, Json] = {"session": row["id"]}
    return await gestures.begin(world, approval.READ, session.id, statement.members(), about, allowed)


async def approve(world: World, session: Session, gesture_id: Json, credential: Json) -> None:
    """Verify the gesture over its statement by an able passkey, and open the session.

    Refuses `gesture_unknown`, `statement_item` for a session that is another by now, `passkey_not_pinned`,
    `assertion_…`, `not_pending`.
    """
    gesture = await gestures.take(world, approval.READ, session.id, gesture_id)
    statement, assertion = reading.parse_statement(gesture.value), gestures.read(credential)
    shown = await _pending(world, session, gesture.about.get("session"))
    if (statement.wanted, statement.display) != (shown.wanted, shown.row["display_digest"]):
        raise Refusal(Reason.STATEMENT_ITEM, "the statement is over another session")
    pinned = deciding.pinned(shown.row)
    if (pinned.rp_id, pinned.origins) != (world.settings.rp_id, (world.settings.origin,)):
        raise Refusal(Reason.ROSTER_RP_ID, "the service has pinned another RP ID or origin")
    await gestures.verify(world, gesture, assertion, await deciding.able(world, session, pinned))
    await _open(world, session, shown, statement, assertion)


async def deny(world: World, session: Session, identifier: Json, message: str) -> None:
    """Say no, with words for the agent if there are any; refuses `not_pending` where it was decided before."""
    shown, now = await _pending(world, session, identifier), world.now()
    words = message.strip()[:MAX_MESSAGE]
    entry = Entry(Kind.READ_DENIED, now, session.account, shown.row["id"], {"message": words})
    if not await world.store.change([Write("deny_read_session", (shown.row["id"], now, words or None))], [entry]):
        raise Refusal(Reason.NOT_PENDING, shown.row["id"])
    _tell(world, shown.row)


async def end(world: World, session: Session, identifier: str) -> None:
    """End an open session: no new token from now on, and those that are out live five minutes at the most."""
    shown = await find(world, session.account, identifier)
    if not await readsessions.close(world, shown.row, "person"):
        raise Refusal(Reason.NOT_PENDING, identifier)


async def pending(world: World, session: Session) -> list[Row]:
    """Give the sessions that wait for this person."""
    return _with_lines(await world.store.all("pending_read_sessions", session.account, world.now()))


async def opened(world: World, session: Session) -> list[Row]:
    """Give the sessions that are open, newest first."""
    return _with_lines(await world.store.all("open_read_sessions", session.account, world.now()))


async def past(world: World, session: Session) -> list[Row]:
    """Give up to fifty sessions, newest first, whatever became of them."""
    return _with_lines(await world.store.all("past_read_sessions", session.account))


async def _pending(world: World, session: Session, identifier: Json) -> Shown:
    shown = await find(world, session.account, form.text(identifier, Reason.NOT_YOURS, 128))
    if not shown.pending(world.now()) or shown.row["shown_at"] is None:
        raise Refusal(Reason.NOT_PENDING, shown.row["id"])
    return shown


async def _open(
    world: World, session: Session, shown: Shown, statement: reading.Statement, assertion: passkey.Assertion
) -> None:
    approvals, now = read_token.approvals(statement, assertion), world.now()
    kept = canonical.encode(approvals).decode()
    write = Write("open_read_session", (shown.row["id"], kept, statement.exp, now, assertion.credential_id))
    entry = Entry(Kind.READ_OPENED, now, session.account, shown.row["id"], {"approvals": approvals})
    if not await world.store.change([write], [entry]):
        raise Refusal(Reason.NOT_PENDING, "decided at this moment, or too late")
    _tell(world, shown.row)


def _with_lines(rows: list[Row]) -> list[Row]:
    for row in rows:
        row["lines"] = json.loads(row["lines"])
    return rows


def _tell(world: World, row: Row) -> None:
    world.waiting.wake(row["id"])
    world.waiting.wake(row["account_id"])
