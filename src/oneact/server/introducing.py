"""Introducing: an agent gets a token by which a linked service knows for whom it asks, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import asking, canonical, form
from oneact.server import pairing
from oneact.store import Write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.canonical import Json
    from oneact.server.clients import Client
    from oneact.server.world import World
    from oneact.store.contract import Row

_PER_MINUTE: Final = 30  # of one pairing: each token is an entry in its person's log


async def introduce(world: World, client: Client, parameters: Mapping[str, str]) -> dict[str, Json]:
    """Give an agent an asking token (RFC 6749 section 4.4: the person has arranged for it by pairing).

    `resource` (RFC 8707) names the service, `login_hint` the pairing. Nothing is fetched, and the person is not asked:
    the token says who asks, and leads to no act. Refuses `scope_invalid`, `hint_unknown`, `unlinked_service`,
    `rate_limited`.
    """
    if parameters.get("scope") != asking.SCOPE:
        raise Refusal(Reason.SCOPE_INVALID, str(parameters.get("scope")))
    resource = form.text(parameters.get("resource"), Reason.REQUEST_MALFORMED)
    paired = await pairing.pairing_of_hint(world, client, parameters.get("login_hint", ""))
    world.limits.known(f"introduced {paired['id']}", _PER_MINUTE, world.now())
    link = await world.store.one("link_of_service", paired["account_id"], resource)
    if link is None:
        raise Refusal(Reason.UNLINKED_SERVICE, resource)
    now = world.now()
    claims = asking.AskingToken(
        world.issuer, link["sub"], resource, client.id, now, now + asking.LIFETIME, world.new_id(), client.jkt
    )
    text = asking.sign(claims, world.key)
    write = Write("introduce_pairing", (paired["id"], now, link["id"]))
    if not await world.store.change([write], [_entry(paired, claims, text)]):
        raise Refusal(Reason.HINT_UNKNOWN, "the agent or the link ended at this moment")
    return {"access_token": text, "token_type": "DPoP", "expires_in": asking.LIFETIME, "scope": asking.SCOPE}


def _entry(paired: Row, claims: asking.AskingToken, text: str) -> Entry:
    content: dict[str, Json] = {
        "service": claims.aud,
        "sub": claims.sub,
        "agent": {"client_id": claims.client_id, "jkt": claims.jkt},
        "jti": claims.jti,
        "exp": claims.exp,
        "token": canonical.sha256(text.encode("ascii")),
    }
    return Entry(Kind.INTRODUCED, claims.iat, paired["account_id"], "", content)
