"""Asking first, without an offer (OpenID CIBA Core): only for actions without terms, told by poll or by ping."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import act, canonical, display, fitting
from oneact.server import asking, joining, pairing, services, telling, tokens
from oneact.server.joining import Draft
from oneact.store import Write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.act import Act
    from oneact.protocol.action import Action
    from oneact.protocol.canonical import Json
    from oneact.server.clients import Client
    from oneact.server.world import World
    from oneact.store.contract import Row

PAUSES: Final = (0, 1, 5)  # seconds before each attempt to ping
_MAX_MESSAGE: Final = 500
_MAX_TOKEN: Final = 1024
_logger: Final = logging.getLogger("oneact.server")


async def start(world: World, client: Client, parameters: Mapping[str, str], key: str = "") -> dict[str, Json]:
    """Take an act without an offer (CIBA section 7.1); the server makes its `txn`, the agent polls or is pinged.

    The same act still pending is joined, unless the idempotency key is another, and pinged by the newer token.
    Refuses `hint_unknown`, `unlinked_service`, `action_needs_offer` for an action with terms, `offer_act`,
    `parameters_invalid` or `parameter_unknown` for parameters that do not fit the action's schema or leave a default
    out, `rule_unsupported`, `rate_limited` where the agent has a hundred open. Whether the parameters are in the
    service's own normal form beyond that, the service tells in check 6.
    """
    paired = await pairing.pairing_of_hint(world, client, parameters.get("login_hint", ""))
    message, ping = parameters.get("binding_message", ""), parameters.get("client_notification_token")
    if "openid" not in parameters.get("scope", "").split(" "):
        raise Refusal(Reason.SCOPE_INVALID, "scope")
    if len(message) > _MAX_MESSAGE or (ping is not None and len(ping) > _MAX_TOKEN) or len(key) > asking.MAX_KEY:
        raise Refusal(Reason.REQUEST_MALFORMED, "binding_message, client_notification_token or Idempotency-Key")
    if ping is None and client.metadata.get("backchannel_token_delivery_mode") == "ping":
        raise Refusal(Reason.REQUEST_MALFORMED, "client_notification_token")
    details = canonical.parse(parameters.get("authorization_details", "").encode())
    wanted = act.parse_details(details, Reason.OFFER_ACT)
    link = await world.store.one("link_of_service", paired["account_id"], wanted.location)
    if link is None:
        raise Refusal(Reason.UNLINKED_SERVICE, wanted.location)
    described = await _described(world, wanted)
    draft = _draft(world, client, link, described, wanted)
    [place] = await joining.store(world, client, paired, [key], [replace(draft, words=message, ping=ping)])
    if place.joined and ping is not None:
        await world.store.change([Write("renew_ping", (place.id, ping), None)], ())
    await telling.tell(world, paired["account_id"], [] if place.joined else [place.id])
    answer: dict[str, Json] = {"auth_req_id": place.id, "expires_in": joining.expires_in(world, [place])}
    return {**answer, "interval": asking.INTERVAL, **({"joined": True} if place.joined else {})}


async def _described(world: World, wanted: Act) -> Action:
    service = await services.describe(world, wanted.location)
    described = await services.described_action(world, service, wanted.action_digest)
    if described.terms is not None:
        raise Refusal(Reason.ACTION_NEEDS_OFFER, described.name)
    if described.name != wanted.action or wanted.terms is not None or wanted.parameters is None:
        raise Refusal(Reason.OFFER_ACT, "another action, terms, or no parameters")
    fitting.validate(described.schema, wanted.parameters)
    if fitting.fill(described.schema, wanted.parameters) != wanted.parameters:
        raise Refusal(Reason.PARAMETERS_INVALID, "not in the normal form: a default is left out")
    asking.check_rule(described)
    return described


def _draft(world: World, client: Client, link: Row, described: Action, wanted: Act) -> Draft:
    txn = world.new_id()
    return Draft(
        link=link,
        action=described,
        act=wanted,
        txn=txn,
        lines=display.render(described, wanted.parameters or {}, None),
        whole=tokens.settle(world, client, link, wanted, txn, 1),
        words="",
        expires_at=world.now() + asking.LIFETIME,
    )


async def ping(world: World, row: Row) -> None:
    """Tell an agent that wants to be pinged that its request has been decided (CIBA section 10.2); tried thrice."""
    client = await world.store.one("client", row["client_id"])
    endpoint = None if client is None else _endpoint(client["metadata"])
    if row["ping_token"] is None or endpoint is None:
        return
    headers = {"Authorization": f"Bearer {row['ping_token']}", "Content-Type": "application/json"}
    body = canonical.encode({"auth_req_id": row["id"]})
    for pause in PAUSES:
        await asyncio.sleep(pause)
        try:
            answer = await world.fetch.fetcher.request("POST", endpoint, headers=headers, body=body)
        except Refusal as refusal:
            _logger.info("a ping did not arrive: %s", refusal)
            continue
        if answer.status < 300:  # noqa: PLR2004 - any success (RFC 9110 section 15.3)
            return


def _endpoint(metadata: str) -> str | None:
    members = canonical.parse(metadata.encode())
    found = members.get("backchannel_client_notification_endpoint") if isinstance(members, dict) else None
    return found if isinstance(found, str) else None


def _dump(value: Json) -> str:
    return canonical.encode(value).decode()
