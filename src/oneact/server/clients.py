"""Agents as clients: registration by public key alone, and authentication by that key, twice over."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, client_assertion, dpop, form, jwk, metadata
from oneact.store import Write

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from oneact.protocol.canonical import Json
    from oneact.protocol.client_assertion import ClientAssertion
    from oneact.protocol.jwk import PublicKey
    from oneact.server.world import World

    Finding = Callable[[World, ClientAssertion], Awaitable["Client"]]

MAX_NAME: Final = 80
MAX_ENDPOINT: Final = 1024
_METADATA: Final = frozenset({"client_name", "jwks"})
_OPTIONAL: Final = frozenset(
    {
        "token_endpoint_auth_method",
        "grant_types",
        "backchannel_token_delivery_mode",
        "backchannel_client_notification_endpoint",
    }
)
_GRANTS: Final = [
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:openid:params:grant-type:ciba",
    "client_credentials",
]


@dataclass(frozen=True, slots=True)
class Client:
    """An agent that has proved to hold its key in this very request; or, with its resource, a service (on behalf)."""

    id: str
    key: PublicKey
    name: str
    metadata: dict[str, Json]
    registered_at: int
    service: str = ""

    @property
    def jkt(self) -> str:
        """Give the thumbprint of its key."""
        return self.key.thumbprint


async def register(world: World, proof: dpop.Proof, document: Json) -> dict[str, Json]:
    """Register an agent (RFC 7591) by its one public key, which has made `proof`.

    The same key again gives the same `client_id` and takes the newer name and delivery: public keys are seen in every
    proof, so only who holds one may speak for it. Refuses `client_metadata`, and `client_key` for a proof by another.
    """
    members = form.closed(document, Reason.CLIENT_METADATA, _METADATA, _OPTIONAL)
    key = _one_key(members["jwks"])
    name = form.text(members["client_name"], Reason.CLIENT_METADATA, MAX_NAME)
    delivery = _delivery(members)
    if members.get("token_endpoint_auth_method", "private_key_jwt") != "private_key_jwt":
        raise Refusal(Reason.CLIENT_METADATA, "only private_key_jwt is supported")
    if proof.jkt != key.thumbprint:
        raise Refusal(Reason.CLIENT_KEY, "the proof is by another key than the one registered")
    row = (world.new_id(), key.thumbprint, _dump(key.members), name, _dump(delivery), world.now())
    await world.store.change([Write("insert_client", row, None)], ())
    stands = await world.store.one("client_of_key", key.thumbprint)
    if stands is None:
        raise Refusal(Reason.STORE_UNAVAILABLE, "the client was not stored")
    return {
        "client_id": stands["id"],
        "client_id_issued_at": stands["registered_at"],
        "client_name": stands["name"],
        "jwks": {"keys": [key.public_jwk()]},
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": list(_GRANTS),
        **json.loads(stands["metadata"]),
    }


async def registered(world: World, asserted: ClientAssertion) -> Client:
    """Give the agent that an assertion names, with its registered key; refuses `client_unknown`."""
    row = await world.store.one("client", asserted.client_id)
    if row is None:
        raise Refusal(Reason.CLIENT_UNKNOWN, asserted.client_id)
    key = jwk.parse_public(canonical.parse(row["public_jwk"].encode()))
    return Client(row["id"], key, row["name"], json.loads(row["metadata"]), row["registered_at"])


async def authenticate(
    world: World, parameters: Mapping[str, str], proofs: tuple[str, ...], url: str, find: Finding = registered
) -> Client:
    """Authenticate a POST to `url`: a client assertion and a DPoP proof, both by the key of the client `find` gives.

    Refuses `client_unknown`, `client_assertion`, `client_assertion_replayed`, `client_key`, `proof_…`, `rate_limited`.
    """
    now = world.now()
    if parameters.get("client_assertion_type") != client_assertion.ASSERTION_TYPE:
        raise Refusal(Reason.CLIENT_ASSERTION, "client_assertion_type")
    asserted = client_assertion.parse(parameters.get("client_assertion", ""))
    if parameters.get("client_id", asserted.client_id) != asserted.client_id:
        raise Refusal(Reason.CLIENT_ASSERTION, "client_id is another")
    client = await find(world, asserted)
    client_assertion.check(asserted, (client.key,), world.issuer, now)
    proof = verified_proof(world, proofs, url)
    if proof.jkt != client.jkt:  # before it is noted: else one client fills memory under the names of any keys
        raise Refusal(Reason.CLIENT_KEY, "the proof is by another key")
    see_once(world, proof)
    if not world.seen.first(client.id, f"assertion {asserted.jti}", asserted.exp, now):
        raise Refusal(Reason.CLIENT_ASSERTION_REPLAYED, asserted.jti)
    return client


def verified_proof(world: World, proofs: tuple[str, ...], url: str) -> dpop.Proof:
    """Check the one DPoP proof of a POST to `url`, which has to hold a nonce of this server; not yet seen."""
    if len(proofs) != 1 or len(proofs[0]) > dpop.MAX_OCTETS:
        raise Refusal(Reason.PROOF_MALFORMED, f"{len(proofs)} proofs")
    now = world.now()
    return dpop.check(proofs[0], "POST", url, now, nonces=world.nonces.good(now))


def see_once(world: World, proof: dpop.Proof) -> None:
    """Refuse `proof_replayed` where a verified proof has been seen before."""
    now = world.now()
    if not world.seen.first(proof.jkt, f"proof {proof.jti}", now + 2 * dpop.MAX_AGE, now):
        raise Refusal(Reason.PROOF_REPLAYED, proof.jti)


def _one_key(value: Json) -> PublicKey:
    keys = list(jwk.parse_set(value, Reason.CLIENT_METADATA).values())
    if len(keys) != 1:
        raise Refusal(Reason.CLIENT_METADATA, "not exactly one usable key")
    return keys[0]


def _delivery(members: dict[str, Json]) -> dict[str, Json]:
    """Read how a CIBA outcome is told (OpenID CIBA Core section 4)."""
    mode = members.get("backchannel_token_delivery_mode", "poll")
    endpoint = members.get("backchannel_client_notification_endpoint")
    if mode == "poll" and endpoint is None:
        return {}
    address = form.text(endpoint, Reason.CLIENT_METADATA, MAX_ENDPOINT)
    if mode != "ping" or not metadata.origin(address).startswith(("https:", "http:")):
        raise Refusal(Reason.CLIENT_METADATA, "backchannel_token_delivery_mode or its endpoint")
    return {"backchannel_token_delivery_mode": mode, "backchannel_client_notification_endpoint": endpoint}


def _dump(value: dict[str, Json]) -> str:
    return canonical.encode(value).decode()
