"""Asking first, without an offer (OpenID CIBA Core): only for actions without terms, told by poll or by ping."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from oneact import fetch
from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import act, canonical, display, fitting
from oneact.server import asking, pairing, services
from oneact.store import Write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.act import Act
    from oneact.protocol.action import Action
    from oneact.protocol.canonical import Json
    from oneact.server.clients import Client
    from oneact.server.world import World
    from oneact.store.contract import Row

_MAX_MESSAGE: Final = 500
_MAX_TOKEN: Final = 1024
_logger: Final = logging.getLogger("oneact.server")


async def start(world: World, client: Client, parameters: Mapping[str, str]) -> dict[str, Json]:
    """Take an act without an offer (CIBA section 7.1); the server makes its `txn`, the agent polls or is pinged.

    Refuses `hint_unknown`, `unlinked_service`, `action_needs_offer` for an action with terms, `offer_act`,
    `parameters_invalid` or `parameter_unknown` for parameters that do not fit the action's schema or leave a default
    out. Whether they are in the service's own normal form beyond that, the service tells in check 6.
    """
    paired = await pairing.pairing_of_hint(world, client, parameters.get("login_hint", ""))
    message, ping = parameters.get("binding_message", ""), parameters.get("client_notification_token")
    if "openid" not in parameters.get("scope", "").split(" "):
        raise Refusal(Reason.SCOPE_INVALID, "scope")
    if len(message) > _MAX_MESSAGE or (ping is not None and len(ping) > _MAX_TOKEN):
        raise Refusal(Reason.REQUEST_MALFORMED, "binding_message or client_notification_token")
    if ping is None and client.metadata.get("backchannel_token_delivery_mode") == "ping":
        raise Refusal(Reason.REQUEST_MALFORMED, "client_notification_token")
    details = canonical.parse(parameters.get("authorization_details", "").encode())
    wanted = act.parse_details(details, Reason.OFFER_ACT)
    link = await world.store.one("link_of_service", paired["account_id"], wanted.location)
    if link is None:
        raise Refusal(Reason.UNLINKED_SERVICE, wanted.location)
    described = await _described(world, wanted)
    identifier = await _store(world, client, paired, link, described, wanted, message, ping)
    world.waiting.wake(paired["account_id"])
    return {"auth_req_id": identifier, "expires_in": asking.LIFETIME, "interval": asking.INTERVAL}


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
    return described


async def _store(  # noqa: PLR0913, PLR0917 - what one request consists of
    world: World,
    client: Client,
    paired: Row,
    link: Row,
    described: Action,
    wanted: Act,
    message: str,
    ping: str | None,
) -> str:
    lines = display.render(described, wanted.parameters or {}, None)
    asking.check_token_size(wanted, link)
    now, identifier, txn = world.now(), world.new_id(), world.new_id()
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
        None, identifier, "", now + asking.LIFETIME, txn, _dump(wanted.details()[0]), wanted.digest,
        _dump(described.document), _dump([list(line) for line in lines]), display.digest(lines), message, now,
        now + asking.LIFETIME, ping,
    )  # fmt: skip
    written = [Write("insert_request", row), Write("see_pairing", (paired["id"], now), None)]
    if not await world.store.change(written, [Entry(Kind.ASKED, now, paired["account_id"], identifier, content)]):
        raise Refusal(Reason.STORE_UNAVAILABLE, "the request was not stored")
    return identifier


async def ping(world: World, row: Row) -> None:
    """Tell an agent that wants to be pinged that its request has been decided (CIBA section 10.2); tried thrice."""
    client = await world.store.one("client", row["client_id"])
    endpoint = None if client is None else _endpoint(client["metadata"])
    if row["ping_token"] is None or endpoint is None:
        return
    headers = {"Authorization": f"Bearer {row['ping_token']}", "Content-Type": "application/json"}
    body = canonical.encode({"auth_req_id": row["id"]})
    for pause in (0, 1, 5):
        await asyncio.sleep(pause)
        try:
            answer = await fetch.fetch_async(
                "POST", endpoint, headers=headers, body=body, private_hosts=world.settings.private_hosts
            )
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
