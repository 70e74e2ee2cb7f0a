"""Asking first, without an offer (OpenID CIBA Core): only for actions without terms, told by poll or by ping."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import act, canonical, display, schema
from oneact.server import asking, pairing, services, telling
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
    `parameters_invalid` for parameters that are not in the service's own normal form, `rate_limited` where the agent
    has a hundred open.
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
    row = await asking.standing(world, client, paired, key, wanted, "")
    joined = row is not None
    if row is None:
        await asking.check_room(world, paired)
        row, joined = await _store(world, client, paired, link, described, wanted, key, message, ping)
    if joined and ping is not None:
        await world.store.change([Write("renew_ping", (row["id"], ping), None)], ())
    await telling.tell(world, paired["account_id"], [] if joined else [row["id"]])
    answer: dict[str, Json] = {"auth_req_id": row["id"], "expires_in": asking.expires_in(world, [row])}
    return {**answer, "interval": asking.INTERVAL, **({"joined": True} if joined else {})}


async def _described(world: World, wanted: Act) -> Action:
    service = await services.describe(world, wanted.location)
    described = await services.described_action(world, service, wanted.action_digest)
    if described.terms is not None:
        raise Refusal(Reason.ACTION_NEEDS_OFFER, described.name)
    if described.name != wanted.action or wanted.terms is not None or wanted.parameters is None:
        raise Refusal(Reason.OFFER_ACT, "another action, terms, or no parameters")
    if schema.fill(described.schema, wanted.parameters) != wanted.parameters:
        raise Refusal(Reason.PARAMETERS_INVALID, "not in the normal form: a default is left out")
    return described


async def _store(  # noqa: PLR0913, PLR0917 - what one request consists of
    world: World,
    client: Client,
    paired: Row,
    link: Row,
    described: Action,
    wanted: Act,
    key: str,
    message: str,
    ping: str | None,
) -> tuple[Row, bool]:
    """Store a request, or join the one that was stored at this moment; give it, and whether it was joined."""
    lines = display.render(described, wanted.parameters or {}, None)
    asking.check_token_size(wanted, link)
    now, identifier, txn = world.now(), world.new_id(), world.new_id()
    expires_at = now + asking.LIFETIME
    content: dict[str, Json] = {
        "service": wanted.location,
        "sub": link["sub"],
        "act": wanted.details()[0],
        "act_digest": wanted.digest,
        "display": display.digest(lines),
        "txn": txn,
        "agent": {"client_id": client.id, "jkt": client.jkt},
        "reason": message,
    }
    row = (
        identifier, paired["account_id"], paired["id"], client.id, client.jkt, link["id"], wanted.location, link["sub"],
        None, key, "", expires_at, txn, _dump(wanted.details()[0]), wanted.digest, _dump(described.document),
        _dump([list(line) for line in lines]), display.digest(lines), message, now, expires_at, ping,
    )  # fmt: skip
    written = [Write("insert_request", row), Write("see_pairing", (paired["id"], now), None)]
    if await world.store.change(written, [Entry(Kind.ASKED, now, paired["account_id"], identifier, content)]):
        return {"id": identifier, "expires_at": expires_at}, False
    before = await asking.standing(world, client, paired, key, wanted, "")
    if before is None:
        raise Refusal(Reason.STORE_UNAVAILABLE, "the request was not stored")
    return before, True


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
