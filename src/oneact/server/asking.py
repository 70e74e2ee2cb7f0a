"""Asking: an agent brings offers, and each becomes one request that waits for its person."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import approval, base64url, canonical, display, offer, token
from oneact.server import addresses, pairing, services, telling
from oneact.store import Write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oneact.protocol.act import Act
    from oneact.protocol.action import Action
    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey
    from oneact.protocol.offer import Offer
    from oneact.server.clients import Client
    from oneact.server.world import World
    from oneact.store.contract import Row

LIFETIME: Final = 600
INTERVAL: Final = 5
MAX_BATCH: Final = approval.MAX_ACTS
MAX_OPEN: Final = 100  # of one agent at one person: nobody has more before them
MAX_KEY: Final = 128
_MAX_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What an agent asks for: offers, the hint of its person, its own words, and what makes a repetition the same."""

    offers: tuple[str, ...]
    hint: str
    reason: str
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class _Prepared:
    """One offer that holds, with what the person will be shown."""

    text: str
    offer: Offer
    key: PublicKey
    action: Action
    link: Row
    lines: tuple[display.Line, ...]


async def ask(world: World, client: Client, asked: Asked) -> dict[str, Json]:
    """Take one offer, or up to twenty as a batch; each is checked before any is stored.

    Refuses `hint_unknown`, `unlinked_service` (then nothing is fetched), `offer_…`, `too_large_to_show`,
    `token_would_be_too_large`, `idempotency_conflict`, `rate_limited` where the agent has a hundred open.
    """
    if (
        not 0 < len(asked.offers) <= MAX_BATCH
        or len(asked.reason) > _MAX_REASON
        or len(asked.idempotency_key) > MAX_KEY
    ):
        raise Refusal(Reason.REQUEST_MALFORMED, "no offer, too many, or too long a text")
    paired = await pairing.pairing_of_hint(world, client, asked.hint)
    prepared = [await _prepare(world, client, paired, text) for text in asked.offers]
    batch = world.new_id() if len(prepared) > 1 else None
    if batch and len({item.offer.iss for item in prepared}) > 1:
        raise Refusal(Reason.OFFER_ACT, "a batch is for one service")
    if batch:
        await check_room(world, paired, len(prepared))
    stored = [await _store(world, client, paired, asked, item, batch) for item in prepared]
    await telling.tell(world, paired["account_id"], [row["id"] for row, joined in stored if not joined])
    answer: dict[str, Json] = {
        "transaction_authorization_id": stored[0][0]["id"],
        "expires_in": expires_in(world, [row for row, _ in stored]),
        "interval": INTERVAL,
        "authorization_uri": world.issuer + addresses.INBOX,
    }
    if any(joined for _, joined in stored):
        answer["joined"] = True
    if batch:
        answer["items"] = [row["id"] for row, _ in stored]
    return answer


def expires_in(world: World, rows: Iterable[Row]) -> int:
    """Give the seconds that the first of some requests to end is still open."""
    ends: list[int] = [row["expires_at"] for row in rows]
    return max(0, min(ends) - world.now())


async def check_room(world: World, paired: Row, more: int = 1) -> None:
    """Refuse `rate_limited` where so many more requests of an agent would be too many before its person."""
    counted = await world.store.one("count_open_requests", paired["id"], world.now())
    if counted is None or counted["open"] + more > MAX_OPEN:
        raise Refusal(Reason.RATE_LIMITED, f"{MAX_OPEN} requests of one agent are open")


async def _prepare(world: World, client: Client, paired: Row, text: str) -> _Prepared:
    offered, parsed = offer.parse(text)
    link = await world.store.one("link_of_service", paired["account_id"], offered.iss)
    if link is None:
        raise Refusal(Reason.UNLINKED_SERVICE, offered.iss)
    service = await services.describe(world, offered.iss)
    known = await services.keys(world, service.jwks_uri, parsed.header.kid)
    offer.check(offered, parsed, known, world.issuer, world.now())
    offer.check_holder(offered, link["sub"], client.jkt)
    described = await services.described_action(world, service, offered.act.action_digest)
    offer.check_action(offered, described)
    lines = display.render(described, offered.act.parameters or {}, offered.act.terms)
    check_token_size(offered.act, link)
    return _Prepared(text, offered, known[parsed.header.kid or ""], described, link, lines)


def check_token_size(offered: Act, link: Row) -> None:
    """Refuse an act whose token would pass 6 KiB even with the parameters as a digest.

    The bound is worked out from the pinned credentials: what an assertion of the largest of them takes.
    """
    credentials: list[dict[str, str]] = json.loads(link["roster"])["credentials"]
    signature = max((256 if item["alg"] == "RS256" else 80 for item in credentials), default=80)
    longest = max((len(item["id"]) for item in credentials), default=0)
    assertion = longest + _b64(signature) + _b64(_CLIENT_DATA) + _b64(_AUTHENTICATOR_DATA)
    details = len(canonical.encode(offered.details(inline=offered.fits_inline())))
    claims = _CLAIMS + details + assertion + _STATEMENT
    if _b64(claims) + _HEADER > token.MAX_OCTETS:
        raise Refusal(Reason.TOKEN_WOULD_BE_TOO_LARGE, f"about {_b64(claims)} octets")


# Octets, at the most, of the parts of a token that do not depend on the act.
_CLIENT_DATA: Final = 400
_AUTHENTICATOR_DATA: Final = 37
_STATEMENT: Final = 400 + 46 * approval.MAX_ACTS
_CLAIMS: Final = 900
_HEADER: Final = 240


def _b64(octets: int) -> int:
    return len(base64url.encode(bytes(octets)))


async def _store(
    world: World, client: Client, paired: Row, asked: Asked, item: _Prepared, batch: str | None
) -> tuple[Row, bool]:
    """Store one request, or join the one that stands; give its `id` and `expires_at`, and whether it was joined."""
    now, identifier, offered = world.now(), world.new_id(), item.offer
    expires_at = min(offered.exp, now + LIFETIME)
    key = f"{asked.idempotency_key} {offered.act.digest}" if batch and asked.idempotency_key else asked.idempotency_key
    before = await standing(world, client, paired, key, offered.act, offered.txn)
    if before is not None:
        return before, True
    if batch is None:
        await check_room(world, paired)
    content: dict[str, Json] = {
        "service": offered.iss,
        "sub": item.link["sub"],
        "act": offered.act.details()[0],
        "act_digest": offered.act.digest,
        "display": display.digest(item.lines),
        "txn": offered.txn,
        "offer": canonical.sha256(item.text.encode("ascii")),
        "offer_key": item.key.public_jwk(),
        "agent": {"client_id": client.id, "jkt": client.jkt},
        "reason": asked.reason,
    }
    row = (
        identifier, paired["account_id"], paired["id"], client.id, client.jkt, item.link["id"], offered.iss,
        item.link["sub"], batch, key, item.text, offered.exp, offered.txn, _dump(offered.act.details()[0]),
        offered.act.digest, _dump(item.action.document), _dump([list(line) for line in item.lines]),
        display.digest(item.lines), asked.reason, now, expires_at, None,
    )  # fmt: skip
    written = [Write("insert_request", row), Write("see_pairing", (paired["id"], now), None)]
    if await world.store.change(written, [Entry(Kind.ASKED, now, paired["account_id"], identifier, content)]):
        return {"id": identifier, "expires_at": expires_at}, False
    before = await standing(world, client, paired, key, offered.act, offered.txn)
    if before is None:
        raise Refusal(Reason.IDEMPOTENCY_CONFLICT, "the offer stands in another request")
    return before, True


async def standing(world: World, client: Client, paired: Row, key: str, wanted: Act, txn: str) -> Row | None:
    """Give the request that this one repeats: the same idempotency key, the same act still pending, or the same offer.

    `key` and `txn` are empty where there is none. Refuses `idempotency_conflict` for the key of another act.
    """
    account = paired["account_id"]
    if key:
        row = await world.store.one("request_by_idempotency_key", client.id, account, key)
        if row is not None and row["act_digest"] != wanted.digest:
            raise Refusal(Reason.IDEMPOTENCY_CONFLICT, "another act")
    else:
        row = await world.store.one(
            "pending_request", client.id, client.jkt, account, wanted.location, wanted.digest, world.now()
        )
    if row is None and txn:
        row = await world.store.one("request_of_offer", client.id, account, wanted.location, txn)
    return row


def _dump(value: Json) -> str:
    return canonical.encode(value).decode()
