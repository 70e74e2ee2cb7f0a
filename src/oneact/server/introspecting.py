"""Introspection (RFC 7662), for the agent that holds a token and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneact.errors import Refusal
from oneact.protocol import jws, token

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.server.clients import Client
    from oneact.server.world import World


async def introspect(world: World, client: Client, text: str) -> dict[str, Json]:
    """Tell an agent about its own token, with the receipt where there is one; of anything else `active` is false."""
    try:
        found, parsed = token.parse(text)
        jws.verify_with(parsed, {str(key.public.kid): key.public for key in world.keys}, token.FAULTS)
    except Refusal:
        return {"active": False}
    row = await world.store.one("request_of_token", client.id, found.jti)
    if row is None or row["token"] != text or row["jkt"] != client.jkt:
        return {"active": False}
    receipt = await world.store.one("receipt", row["id"])
    answer: dict[str, Json] = {
        "active": world.now() < found.exp and receipt is None,
        "token_type": "DPoP",
        "iss": found.iss,
        "aud": found.aud,
        "client_id": found.client_id,
        "iat": found.iat,
        "exp": found.exp,
        "jti": found.jti,
        "txn": found.txn,
        "authorization_details": found.details,
    }
    if receipt is not None:
        answer["oneact_receipt"] = receipt["receipt"]
    return answer
