"""What services publish: fetched only from services that a person has linked, or is linking at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oneact.errors import Reason, Refusal
from oneact.protocol import action, form, jwk, metadata, reading

if TYPE_CHECKING:
    from oneact.protocol.action import Action
    from oneact.protocol.jwk import PublicKey
    from oneact.protocol.metadata import ServiceMetadata
    from oneact.protocol.reading import Read, Wanted
    from oneact.server.world import World


@dataclass(frozen=True, slots=True)
class ServiceClient:
    """A service as an OpenID client, by its client-id metadata document; all below the service's own resource."""

    client_id: str
    resource: str
    name: str
    redirect_uris: tuple[str, ...]
    roster_uri: str
    keys: dict[str, PublicKey]


async def describe(world: World, resource: str) -> ServiceMetadata:
    """Give a service's metadata; refuses `metadata_invalid`, `metadata_unreachable`, `address_forbidden`."""
    document = await world.fetch.get_json(metadata.well_known(resource, metadata.SERVICE_PATH))
    return metadata.parse_service(document, resource)


async def keys(world: World, jwks_uri: str, kid: str | None) -> dict[str, PublicKey]:
    """Give the keys at `jwks_uri`; where `kid` is not among them, after one early refresh."""
    found = jwk.parse_set(await world.fetch.get_json(jwks_uri), Reason.METADATA_INVALID)
    if kid is not None and kid not in found:
        found = jwk.parse_set(await world.fetch.refresh(jwks_uri), Reason.METADATA_INVALID)
    return found


async def described_action(world: World, service: ServiceMetadata, digest: str) -> Action:
    """Give the action that a service publishes under this digest; refuses `offer_action`."""
    document = await world.fetch.get_json(f"{service.actions_uri}/{digest}")
    found = action.parse(document)
    if found.digest != digest:
        raise Refusal(Reason.OFFER_ACTION, "what is published has another digest")
    return found


async def described_reads(world: World, wanted: Wanted) -> list[Read]:
    """Give the reads that a session is for as the service publishes them; refuses `read_unknown`.

    Where the service says something else of them than the agent does, they are fetched anew, once.
    """
    service = await describe(world, wanted.location)
    for get in (world.fetch.get_json, world.fetch.refresh):
        document = await get(service.actions_uri)
        listed = document.get("reads") if isinstance(document, dict) else None
        reads = [reading.parse_read(item) for item in listed] if isinstance(listed, list) else []
        by_name = {read.name: read for read in reads}
        if all(name in by_name for name in wanted.names):
            found = [by_name[name] for name in wanted.names]
            if reading.want(wanted.location, found, wanted.duration) == wanted:
                return found
    raise Refusal(Reason.READ_UNKNOWN, f"{wanted.names} with that digest")


async def client(world: World, client_id: str) -> ServiceClient:
    """Give a service by its client identifier, the address of its metadata document.

    A host may have several services as tenants, so the document says nothing for any resource but the one it lies
    under, at one fixed path. Refuses `client_metadata` for another, or one that reaches outside its resource.
    """
    reason = Reason.CLIENT_METADATA
    document = await world.fetch.get_json(client_id)
    if not isinstance(document, dict) or document.get("client_id") != client_id:
        raise Refusal(reason, "the document is another client's")
    if document.get("token_endpoint_auth_method") != "private_key_jwt":
        raise Refusal(reason, "token_endpoint_auth_method")
    resource = form.text(document.get("oneact_resource"), reason)
    jwks_uri = form.text(document.get("jwks_uri"), reason)
    roster_uri = form.text(document.get("oneact_roster_uri"), reason)
    redirect_uris = form.texts(document.get("redirect_uris"), reason, 8)
    if client_id != resource + metadata.CLIENT_PATH:
        raise Refusal(reason, "the document does not lie under the resource it names")
    if not all(metadata.lies_under(uri, resource) for uri in (jwks_uri, roster_uri, *redirect_uris)):
        raise Refusal(reason, "an address does not lie under the service's own resource")
    described = await describe(world, resource)
    found = await keys(world, jwks_uri, None)
    return ServiceClient(client_id, resource, described.name, redirect_uris, roster_uri, found)
