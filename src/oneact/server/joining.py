"""Joining: what an agent asks a second time is the request that stands; what is new is stored together or not at all.

Two of one batch never join each other, nor one request: who asks for a ticket twice in one batch asks for two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import canonical, display
from oneact.store import Write

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from oneact.protocol.act import Act
    from oneact.protocol.action import Action
    from oneact.protocol.canonical import Json
    from oneact.protocol.display import Line
    from oneact.protocol.jwk import PublicKey
    from oneact.server.clients import Client
    from oneact.server.world import World
    from oneact.store.contract import Row

MAX_OPEN: Final = 100  # of one agent at one person: nobody has more before them
_ATTEMPTS: Final = 3  # against others who ask for the same at the same moment


@dataclass(frozen=True, slots=True)
class Draft:
    """What an agent asks for, checked and not yet stored; `link` is the row of the person's link to the service.

    `whole` where the token will carry the parameters, `words` the agent's own, `offer` and `offer_key` the offer and
    what verified it, `ping` the token by which an agent without an offer is woken.
    """

    link: Row
    action: Action
    act: Act
    txn: str
    lines: tuple[Line, ...]
    whole: bool
    words: str
    expires_at: int
    offer: str = ""
    offer_key: PublicKey | None = None
    ping: str | None = None


class KeyUsed(Refusal):
    """The refusal of a key that was used for another act, with the receipt of that one where there is a word on it."""

    def __init__(self, receipt: str | None) -> None:
        super().__init__(Reason.IDEMPOTENCY_CONFLICT, "another act")
        self.receipt = receipt


@dataclass(frozen=True, slots=True)
class Place:
    """The request of one draft: the one that it joins, or a new one; `expires_at` is that request's own.

    Pending requests of one agent, person, service and act differ in `key` or, without one, in `twin`.
    """

    id: str
    expires_at: int
    joined: bool
    key: str = ""
    twin: int = 0


async def store(world: World, client: Client, paired: Row, keys: Sequence[str], drafts: Sequence[Draft]) -> list[Place]:
    """Store what is new of these drafts and join what stands; give the place of each, no two alike.

    `keys` are the agent's idempotency keys, one for each draft, or all empty. Refuses `idempotency_conflict` where one
    was used for another act, or one or an offer stands in a request of another agent or key, `rate_limited` where the
    agent has a hundred open.
    """
    batch = world.new_id() if len(drafts) > 1 else None
    for _ in range(_ATTEMPTS):
        places = await _places(world, client, paired["account_id"], keys, drafts)
        new = [(draft, place) for draft, place in zip(drafts, places, strict=True) if not place.joined]
        if not new:
            return places
        await _check_room(world, paired, len(new))
        writes = [_insertion(world, client, paired, batch, *each) for each in new]
        seen = Write("see_pairing", (paired["id"], world.now()), None)
        entries = [_asked(world, client, paired, *each) for each in new]
        if await world.store.change([*writes, seen], entries):
            return places
    raise Refusal(Reason.IDEMPOTENCY_CONFLICT, "an offer stands in another request")


def expires_in(world: World, places: Iterable[Place]) -> int:
    """Give the seconds that the first of some requests to end is still open."""
    return max(0, min(place.expires_at for place in places) - world.now())


async def _places(
    world: World, client: Client, account: str, keys: Sequence[str], drafts: Sequence[Draft]
) -> list[Place]:
    standing = [await _repeated(world, client, account, *pair) for pair in zip(keys, drafts, strict=True)]
    if len({row["id"] for row in standing if row}) < sum(row is not None for row in standing):
        raise Refusal(Reason.IDEMPOTENCY_CONFLICT, "two of a batch repeat one request")
    pending: dict[str, list[Row]] = {}
    for draft in drafts if not any(keys) else ():
        holder = client.id, client.jkt, account, draft.act.location, draft.act.digest
        pending[draft.act.digest] = await world.store.all("pending_requests", *holder)
    return _assigned(world, drafts, keys, standing, pending)


def _assigned(
    world: World,
    drafts: Sequence[Draft],
    keys: Sequence[str],
    standing: Sequence[Row | None],
    pending: dict[str, list[Row]],
) -> list[Place]:
    """Give each draft the request that it repeats, else one of the same act that nothing else joins, else a new one."""
    taken = {row["id"] for row in standing if row is not None}
    twins = {digest: {row["twin"] for row in rows} for digest, rows in pending.items()}
    places: list[Place] = []
    for draft, key, repeated in zip(drafts, keys, standing, strict=True):
        alike = (one for one in pending.get(draft.act.digest, ()) if one["id"] not in taken)
        row = repeated or next((one for one in alike if one["expires_at"] > world.now()), None)
        if row is not None:
            taken.add(row["id"])
            places.append(Place(row["id"], row["expires_at"], joined=True))
            continue
        used = twins.setdefault(draft.act.digest, set())
        twin = next(number for number in range(len(used) + 1) if number not in used)
        used.add(twin)
        places.append(Place(world.new_id(), draft.expires_at, joined=False, key=key, twin=twin))
    return places


async def _repeated(world: World, client: Client, account: str, key: str, draft: Draft) -> Row | None:
    """Give the request that was asked with this very key, else the one of this very offer, or None.

    A service that asks has new keys of its own from time to time: what it asked by an old one, the new one neither
    joins nor collects, nor is it asked a second time under the same key or offer.
    """
    row = await world.store.one("request_by_idempotency_key", client.id, account, key) if key else None
    own = row is not None and row["jkt"] == client.jkt
    if row is not None and (not own or row["act_digest"] != draft.act.digest):
        told = await world.store.one("receipt", row["id"]) if own else None
        raise KeyUsed(None if told is None else str(told["receipt"]))
    if row is None and draft.offer:
        row = await world.store.one("request_of_offer", client.id, account, draft.act.location, draft.txn)
        if row is not None and row["jkt"] != client.jkt:
            raise Refusal(Reason.IDEMPOTENCY_CONFLICT, "the offer stands in a request by another key")
    return row


async def _check_room(world: World, paired: Row, more: int) -> None:
    """Refuse `rate_limited` where so many more requests of an agent would be too many before its person."""
    counted = await world.store.one("count_open_requests", paired["id"], world.now())
    if counted is None or counted["open"] + more > MAX_OPEN:
        raise Refusal(Reason.RATE_LIMITED, f"{MAX_OPEN} requests of one agent are open")


def _insertion(world: World, client: Client, paired: Row, batch: str | None, draft: Draft, place: Place) -> Write:
    row = (
        place.id, paired["account_id"], paired["id"], client.id, client.jkt, draft.link["id"], draft.act.location,
        draft.link["sub"], batch, place.key, draft.offer, draft.expires_at, draft.txn, _dump(draft.act.details()[0]),
        draft.act.digest, _dump(draft.action.document), _dump([list(line) for line in draft.lines]),
        display.digest(draft.lines), draft.words, world.now(), draft.expires_at, draft.ping, draft.whole, place.twin,
    )  # fmt: skip
    return Write("insert_request", row)


def _asked(world: World, client: Client, paired: Row, draft: Draft, place: Place) -> Entry:
    content: dict[str, Json] = {
        "service": draft.act.location,
        "sub": draft.link["sub"],
        "act": draft.act.details()[0],
        "act_digest": draft.act.digest,
        "display": display.digest(draft.lines),
        "txn": draft.txn,
        "agent": {"client_id": client.id, "jkt": client.jkt},
        "reason": draft.words,
    }
    if draft.offer_key is not None:
        content["offer"] = canonical.sha256(draft.offer.encode("ascii"))
        content["offer_key"] = draft.offer_key.public_jwk()
    return Entry(Kind.ASKED, world.now(), paired["account_id"], place.id, content)


def _dump(value: Json) -> str:
    return canonical.encode(value).decode()
