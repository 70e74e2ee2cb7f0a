"""Read sessions, the agent's half: asking for one, polling it, a token for the next minutes of it, ending it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import canonical, display, read_token, reading
from oneact.server import issuing, pairing, services, telling
from oneact.store import Write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.canonical import Json
    from oneact.protocol.display import Line
    from oneact.protocol.reading import Wanted
    from oneact.server.clients import Client
    from oneact.server.world import World
    from oneact.store.contract import Row

LIFETIME: Final = 600  # seconds in which the person may decide
INTERVAL: Final = 5
MAX_PENDING: Final = 20  # of one agent before one person
_FRESH: Final = 150  # seconds that a token has to be good for still, to be given again
_MAX_MESSAGE: Final = 500


def is_wanted(parameters: Mapping[str, str]) -> bool:
    """Tell whether a CIBA request is for a read session: by the type of its first `authorization_details` object."""
    try:
        details = canonical.parse(parameters.get("authorization_details", "").encode())
    except Refusal:
        return False
    first = details[0] if isinstance(details, list) and details else None
    return isinstance(first, dict) and first.get("type") == reading.TYPE


async def ask(world: World, client: Client, parameters: Mapping[str, str]) -> dict[str, Json]:
    """Take what an agent wants to read (OpenID CIBA section 7.1); what is pending or open of the same is joined.

    Refuses `scope_invalid`, `hint_unknown`, `read_malformed`, `unlinked_service` (then nothing is fetched),
    `read_unknown` where the service publishes no such reads or says something else of them, `rate_limited`.
    """
    paired = await pairing.pairing_of_hint(world, client, parameters.get("login_hint", ""))
    if "openid" not in parameters.get("scope", "").split(" "):
        raise Refusal(Reason.SCOPE_INVALID, "scope")
    words = parameters.get("binding_message", "")
    if len(words) > _MAX_MESSAGE:
        raise Refusal(Reason.REQUEST_MALFORMED, "binding_message")
    details = canonical.parse(parameters.get("authorization_details", "").encode())
    wanted = reading.parse_details(details, Reason.READ_UNKNOWN)
    link = await world.store.one("link_of_service", paired["account_id"], wanted.location)
    if link is None:
        raise Refusal(Reason.UNLINKED_SERVICE, wanted.location)
    reads = await services.described_reads(world, wanted)
    now, kept = world.now(), _dump(wanted.details()[0])
    standing = await world.store.one("standing_read_session", paired["id"], kept, now)
    if standing is not None:
        ends = standing["expires_at"] if standing["state"] == "pending" else standing["until"]
        return {"auth_req_id": standing["id"], "expires_in": ends - now, "interval": INTERVAL, "joined": True}
    identifier = await _store(world, paired, link, wanted, reading.render(reads, wanted.duration), words)
    await telling.tell(world, paired["account_id"], [identifier])
    return {"auth_req_id": identifier, "expires_in": LIFETIME, "interval": INTERVAL}


async def poll(world: World, client: Client, row: Row, wait: int) -> dict[str, Json]:
    """Answer a poll of a session, after at most `wait` seconds while nobody has decided.

    While it is open every poll gives a token for the next five minutes, at the end for what is left. Refuses
    `grant_unknown`, `authorization_pending`, `slow_down`, `denied`, `expired`, `read_ended`.
    """
    row = await _own(world, client, row["id"])
    before, now = world.waiting.polled(row["id"], world.now()), world.now()
    if row["state"] == "pending" and now < row["expires_at"]:
        if wait > 0:
            await world.waiting.wait(row["id"], min(wait, issuing.MAX_WAIT, row["expires_at"] - now))
            world.waiting.polled(row["id"], world.now())
            row = await _own(world, client, row["id"])
        elif now - before < INTERVAL:
            raise Refusal(Reason.SLOW_DOWN, row["id"])
    return await _answer(world, row)


async def end(world: World, client: Client, row: Row) -> None:
    """End a session that its agent needs no longer, or take it back before it was decided."""
    await close(world, await _own(world, client, row["id"]), "agent")


async def close(world: World, row: Row, by: str) -> bool:
    """End a session, `by` whom; False where it has ended. Tokens that are out live their five minutes at the most."""
    now = world.now()
    entry = Entry(Kind.READ_ENDED, now, row["account_id"], row["id"], {"by": by})
    done = await world.store.change([Write("end_read_session", (row["id"], now))], [entry])
    if done:
        world.waiting.wake(row["id"])
        world.waiting.wake(row["account_id"])
    return done


async def _own(world: World, client: Client, identifier: str) -> Row:
    row = await world.store.one("read_session", identifier)
    if row is None or (row["client_id"], row["jkt"]) != (client.id, client.jkt):
        raise Refusal(Reason.GRANT_UNKNOWN, identifier)
    return row


async def _store(world: World, paired: Row, link: Row, wanted: Wanted, lines: tuple[Line, ...], words: str) -> str:
    now, identifier = world.now(), world.new_id()
    pending = await world.store.one("count_pending_read_sessions", paired["id"], now)
    if pending is None or pending["pending"] >= MAX_PENDING:
        raise Refusal(Reason.RATE_LIMITED, f"{MAX_PENDING} sessions wait")
    shown = display.digest(lines)
    row = (
        identifier, paired["account_id"], paired["id"], paired["client_id"], paired["jkt"], link["id"],
        wanted.location, link["sub"], _dump(wanted.details()[0]), display.encode(lines).decode(), shown, words, now,
        now + LIFETIME,
    )  # fmt: skip
    content: dict[str, Json] = {
        "service": wanted.location,
        "sub": link["sub"],
        "details": wanted.details()[0],
        "display": shown,
        "agent": {"client_id": paired["client_id"], "jkt": paired["jkt"]},
        "reason": words,
    }
    writes = [Write("insert_read_session", row), Write("see_pairing", (paired["id"], now), None)]
    await world.store.change(writes, [Entry(Kind.READ_ASKED, now, paired["account_id"], identifier, content)])
    return identifier


async def _answer(world: World, row: Row) -> dict[str, Json]:
    now, state = world.now(), row["state"]
    if state == "pending" and now < row["expires_at"]:
        raise Refusal(Reason.AUTHORIZATION_PENDING, row["id"])
    if state == "pending":
        raise Refusal(Reason.EXPIRED, row["id"])
    if state == "denied":
        raise issuing.Ended(Reason.DENIED, "", row["message"] or "")
    if state != "opened" or now >= row["until"]:
        raise Refusal(Reason.READ_ENDED, row["id"])
    text, exp = await _issued(world, row, now)
    details = canonical.parse(row["details"].encode())
    return {
        "access_token": text,
        "token_type": "DPoP",
        "expires_in": exp - now,
        "authorization_details": [details],
        "scope": read_token.SCOPE,
    }


async def _issued(world: World, row: Row, now: int) -> tuple[str, int]:
    """Give the token that is out while it is good for some time yet, else a new one; refuses `read_ended`.

    Agent, link and passkey are looked at again in the write that issues it.
    """
    last = min(now + _FRESH, row["until"])
    if row["token"] is not None and row["token_exp"] >= last and await _stands(world, row, now):
        return row["token"], row["token_exp"]
    exp = min(now + read_token.LIFETIME, row["until"])
    claims = read_token.ReadToken(
        world.issuer, row["sub"], row["resource"], row["client_id"], now, exp, world.new_id(), row["jkt"],
        [canonical.parse(row["details"].encode())], canonical.parse(row["approvals"].encode()),
    )  # fmt: skip
    text = read_token.sign(claims, world.key)
    content: dict[str, Json] = {"jti": claims.jti, "exp": exp, "token": canonical.sha256(text.encode("ascii"))}
    entry = Entry(Kind.READ_TOKEN, now, row["account_id"], row["id"], content)
    if not await world.store.change([Write("issue_read_token", (row["id"], text, exp, now))], [entry]):
        raise Refusal(Reason.READ_ENDED, "agent, link, passkey or session ended")
    return text, exp


async def _stands(world: World, row: Row, now: int) -> bool:
    """Tell whether the token that is out may be given again, by the same conditions as a new one."""
    write = Write("issue_read_token", (row["id"], row["token"], row["token_exp"], now))
    return await world.store.change([write], ())


def _dump(value: Json) -> str:
    return canonical.encode(value).decode()
