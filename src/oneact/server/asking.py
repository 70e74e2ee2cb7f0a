"""Asking: an agent brings offers, and each becomes one request that waits for its person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import approval, display, offer
from oneact.protocol.action import Rule
from oneact.server import joining, on_behalf, services, telling, tokens
from oneact.server.joining import Draft

if TYPE_CHECKING:
    from oneact.protocol.action import Action
    from oneact.protocol.canonical import Json
    from oneact.server.clients import Client
    from oneact.server.world import World
    from oneact.store.contract import Row

LIFETIME: Final = 600
INTERVAL: Final = 5
MAX_BATCH: Final = approval.MAX_ACTS
MAX_KEY: Final = 128
_MAX_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What an agent asks for: offers, the hint of its person, its own words, and what makes a repetition the same.

    `keys` are an idempotency key for each offer; without them `idempotency_key` is the one of all together.
    """

    offers: tuple[str, ...]
    hint: str
    reason: str
    idempotency_key: str
    keys: tuple[str, ...] = ()

    def named(self) -> tuple[str, ...]:
        """Give the key of each offer: of several that have one together, it with the offer's place."""
        if self.keys or len(self.offers) == 1 or not self.idempotency_key:
            return self.keys or (self.idempotency_key,) * len(self.offers)
        return tuple(f"{self.idempotency_key} {index}" for index in range(len(self.offers)))


async def ask(world: World, client: Client, asked: Asked) -> dict[str, Json]:
    """Take one offer, or up to twenty as a batch; each is checked before any is stored.

    Refuses `hint_unknown`, `offer_not_own`, `unlinked_service` (then nothing is fetched), `offer_…`,
    `rule_unsupported`, `too_large_to_show`, `token_would_be_too_large`, `idempotency_conflict`, `rate_limited` where
    the agent has a hundred open.
    """
    if (
        not 0 < len(asked.offers) <= MAX_BATCH
        or len(asked.reason) > _MAX_REASON
        or any(len(key) > MAX_KEY for key in (asked.idempotency_key, *asked.keys))
    ):
        raise Refusal(Reason.REQUEST_MALFORMED, "no offer, too many, or too long a text")
    paired = await on_behalf.pairing_of_hint(world, client, asked.hint)
    drafts = [await _draft(world, client, paired, text, asked) for text in asked.offers]
    if len({item.act.location for item in drafts}) > 1 or len({item.txn for item in drafts}) < len(drafts):
        raise Refusal(Reason.OFFER_ACT, "a batch is for one service, and has no transaction twice")
    places = await joining.store(world, client, paired, asked.named(), drafts)
    await telling.tell(world, paired["account_id"], [place.id for place in places if not place.joined])
    answer: dict[str, Json] = {
        "transaction_authorization_id": places[0].id,
        "expires_in": joining.expires_in(world, places),
        "interval": INTERVAL,
        "authorization_uri": on_behalf.page(world, client, places[0].id),
    }
    if any(place.joined for place in places):
        answer["joined"] = True
    if len(places) > 1:
        answer["items"] = [place.id for place in places]
    return answer


def check_rule(described: Action) -> None:
    """Refuse `rule_unsupported` where an action's rule asks for more than the one person whose link this is."""
    if described.rule != Rule():
        raise Refusal(Reason.RULE_UNSUPPORTED, f"{described.name}: {described.rule}")


async def _draft(world: World, client: Client, paired: Row, text: str, asked: Asked) -> Draft:
    """Check one offer and make a draft of it."""
    offered, parsed = offer.parse(text)
    on_behalf.check_own(client, offered.iss)
    link = await world.store.one("link_of_service", paired["account_id"], offered.iss)
    if link is None:
        raise Refusal(Reason.UNLINKED_SERVICE, offered.iss)
    service = await services.describe(world, offered.iss)
    known = await services.keys(world, service.jwks_uri, parsed.header.kid)
    offer.check(offered, parsed, known, world.issuer, world.now())
    offer.check_holder(offered, link["sub"], client.jkt)
    described = await services.described_action(world, service, offered.act.action_digest)
    offer.check_action(offered, described)
    check_rule(described)
    return Draft(
        link=link,
        action=described,
        act=offered.act,
        txn=offered.txn,
        lines=display.render(described, offered.act.parameters or {}, offered.act.terms),
        whole=tokens.settle(world, client, link, offered.act, offered.txn, len(asked.offers)),
        words=asked.reason,
        expires_at=min(offered.exp, world.now() + LIFETIME),
        offer=text,
        offer_key=known[parsed.header.kid or ""],
    )
