"""Receipts: the service's word on what became of an act, taken from anyone who brings it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import jws, receipt
from oneact.server import issuing, reconciling, services
from oneact.server.lifecycle import State
from oneact.store import Write

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.receipt import Receipt
    from oneact.server.clients import Client
    from oneact.server.world import World
    from oneact.store.contract import Row


async def deliver(world: World, text: str) -> None:
    """Take a receipt (bare JWS); the same one again changes nothing, another one may only follow `unknown`.

    Refuses `receipt_unknown` for an act that no token was issued for, `receipt_…`, `receipt_conflict`.
    """
    found, parsed = receipt.parse(text)
    row = await world.store.one("request_of_receipt", found.iss, found.txn, found.sub)
    if row is None and await world.store.one("link_of_subject", found.iss, found.sub) is None:
        raise Refusal(Reason.RECEIPT_UNKNOWN, found.txn)  # nothing is fetched for whom nobody has linked
    service = await services.describe(world, found.iss)
    keys = await services.keys(world, service.jwks_uri, parsed.header.kid)
    jws.verify_with(parsed, keys, receipt.FAULTS)
    if row is None or row["state"] != State.ISSUED:
        await reconciling.receipt_for_nothing(world, found, text, row)
    if row is None:
        raise Refusal(Reason.RECEIPT_UNKNOWN, found.txn)
    _check_matches(world, found, row)
    before = await world.store.one("receipt", row["id"])
    if before is not None and before["receipt"] == text:
        return
    key = keys[parsed.header.kid or ""].public_jwk()
    content: dict[str, Json] = {"receipt": text, "status": found.status, "key": key}
    kept = (row["id"], text, found.status, found.iat, world.now())
    entry = Entry(Kind.RECEIPT, world.now(), row["account_id"], row["id"], content)
    if not await world.store.change([Write("keep_receipt", kept)], [entry]):
        await reconciling.second_receipt(world, found, text, row)
        raise Refusal(Reason.RECEIPT_CONFLICT, found.txn)
    world.waiting.wake(row["id"])
    world.waiting.wake(row["account_id"])


async def ask(world: World, client: Client, identifier: str) -> dict[str, Json]:
    """Give an agent the receipt of its own request; refuses `receipt_unknown` while there is no word."""
    row = await issuing.own_request(world, client, identifier)
    found = await world.store.one("receipt", row["id"])
    if found is None:
        raise Refusal(Reason.RECEIPT_UNKNOWN, identifier)
    return {"receipt": found["receipt"], "status": found["status"]}


def _check_matches(world: World, found: Receipt, row: Row) -> None:
    if row["state"] != State.ISSUED:
        raise Refusal(Reason.RECEIPT_MISMATCH, "no token was issued")
    receipt.check_for(found, world.issuer, row["token_jti"], row["act_digest"])
