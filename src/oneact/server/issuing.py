"""Polling and issuing: what an agent is told, and the one token of an approved request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry
from oneact.protocol import canonical, token
from oneact.server import ending, tokens
from oneact.server.lifecycle import TRANSITIONS, Event, State
from oneact.store import Write

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.server.clients import Client
    from oneact.server.world import World
    from oneact.store.contract import Row

MAX_WAIT: Final = 50
INTERVAL: Final = 5
_ENDS: Final = {
    State.DENIED: Reason.DENIED,
    State.EXPIRED: Reason.EXPIRED,
    State.CANCELLED: Reason.CANCELLED,
}


class Ended(Refusal):
    """A final answer to a poll, with the server's signed statement and the person's words, if there are any."""

    def __init__(self, reason: Reason, statement: str, message: str) -> None:
        """Take what every poll is told from now on."""
        super().__init__(reason)
        self.statement = statement
        self.message = message

    def body(self) -> dict[str, str | int]:
        """Give the JSON body with `statement` and `message`."""
        body = super().body()
        if self.statement:
            body["statement"] = self.statement
        if self.message:
            body["message"] = self.message
        return body


async def poll(world: World, client: Client, identifier: str, wait: int) -> dict[str, Json]:
    """Answer a poll, after at most `wait` seconds (RFC 7240): the token, or the refusal that says where it stands.

    Refuses `grant_unknown`, `authorization_pending`, `slow_down`, `denied`, `expired`, `cancelled`.
    """
    row = await own_request(world, client, identifier)
    before = world.waiting.polled(identifier, world.now())
    if row["state"] == State.PENDING and world.now() < row["expires_at"]:
        if wait > 0:
            await world.waiting.wait(identifier, min(wait, MAX_WAIT, row["expires_at"] - world.now()))
            world.waiting.polled(identifier, world.now())
            row = await own_request(world, client, identifier)
        elif world.now() - before < INTERVAL:
            raise Refusal(Reason.SLOW_DOWN, identifier)
    return await _answer(world, row)


async def own_request(world: World, client: Client, identifier: str) -> Row:
    """Give a request of this very client and key; refuses `grant_unknown`."""
    row = await world.store.one("request", identifier)
    if row is None or row["client_id"] != client.id or row["jkt"] != client.jkt:
        raise Refusal(Reason.GRANT_UNKNOWN, identifier)
    return row


async def _answer(world: World, row: Row) -> dict[str, Json]:
    now, state = world.now(), State(row["state"])
    if state is State.PENDING and now < row["expires_at"]:
        raise Refusal(Reason.AUTHORIZATION_PENDING, row["id"])
    if state in {State.PENDING, State.APPROVED}:
        if state is State.PENDING or now >= row["approved_until"]:
            await ending.expire(world, row, state)
        elif not await _issue(world, row, now):
            await ending.withdraw(world, row)
        row = await _again(world, row)
        state = State(row["state"])
        if state in {State.PENDING, State.APPROVED}:  # its time ran out between look and write
            return await _answer(world, row)
    if state is State.ISSUED:
        return _token_answer(row, now)
    world.waiting.forget(row["id"])
    raise Ended(_ENDS[state], row["ended"] or "", row["message"] or "")


def _token_answer(row: Row, now: int) -> dict[str, Json]:
    if now >= row["token_exp"]:
        raise Ended(Reason.EXPIRED, "", "")
    details: list[Json] = [json.loads(row["act"])]
    return {
        "access_token": row["token"],
        "token_type": "DPoP",
        "expires_in": row["token_exp"] - now,
        "authorization_details": details,
    }


async def _issue(world: World, row: Row, now: int) -> bool:
    """Make the token of an approved request, once: whoever comes second reads what the first has written.

    `now` is the second at which the approval was found to hold. False too where agent, link or passkey are gone since.
    """
    claims = tokens.of_request(world, row, canonical.parse(row["approvals"].encode()), now)
    text = token.sign(claims, world.key)
    target, kind = TRANSITIONS[State.APPROVED, Event.ISSUE]
    content: dict[str, Json] = {
        "jti": claims.jti, "exp": claims.exp, "token": canonical.sha256(text.encode("ascii")), "state": target.value,
    }  # fmt: skip
    entry = Entry(kind, now, row["account_id"], row["id"], content)
    write = Write("issue_request", (row["id"], text, claims.jti, claims.exp, now, ending.signer(row)))
    issued = await world.store.change([write], [entry])
    world.waiting.wake(row["account_id"])
    return issued


async def _again(world: World, row: Row) -> Row:
    found = await world.store.one("request", row["id"])
    if found is None:
        raise Refusal(Reason.GRANT_UNKNOWN, row["id"])
    return found
