"""What an approval server and a service publish of themselves (RFC 8414, RFC 9728), and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, unquote, urlsplit

from oneact.errors import Reason, Refusal
from oneact.protocol import act, asking, form, reading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oneact.protocol.canonical import Json

VERSIONS: Final = ("1",)
SERVER_PATH: Final = "/.well-known/oauth-authorization-server"
SERVICE_PATH: Final = "/.well-known/oauth-protected-resource"
CLIENT_PATH: Final = "/oneact/client.json"  # of a service's client-id metadata document, below its resource
_ENDPOINTS: Final[tuple[str, ...]] = (
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "registration_endpoint",
    "device_authorization_endpoint",
    "pushed_authorization_request_endpoint",
    "transaction_authorization_endpoint",
    "backchannel_authentication_endpoint",
    "introspection_endpoint",
    "receipt_endpoint",
    "cancellation_endpoint",
)
ALGORITHMS: Final = ("ES256", "EdDSA")


@dataclass(frozen=True, slots=True)
class ServerMetadata:
    """An approval server: its issuer and its endpoints by the names of RFC 8414 and of the specification."""

    issuer: str
    endpoints: dict[str, str]

    def endpoint(self, name: str) -> str:
        """Give the address of one endpoint; refuses `metadata_invalid` where the server has none of that name."""
        if name not in self.endpoints:
            raise Refusal(Reason.METADATA_INVALID, f"no {name}")
        return self.endpoints[name]

    def document(self) -> dict[str, Json]:
        """Give the document that stands at the server's well-known address."""
        algorithms: list[Json] = list(ALGORITHMS)
        return {
            "issuer": self.issuer,
            **self.endpoints,
            "oneact_versions_supported": list(VERSIONS),
            "response_types_supported": ["code"],
            "grant_types_supported": [
                "authorization_code",
                "urn:ietf:params:oauth:grant-type:device_code",
                "urn:openid:params:grant-type:ciba",
                "client_credentials",
            ],
            "subject_types_supported": ["pairwise"],
            "code_challenge_methods_supported": ["S256"],
            "require_pushed_authorization_requests": True,
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": algorithms,
            "id_token_signing_alg_values_supported": algorithms,
            "dpop_signing_alg_values_supported": algorithms,
            "backchannel_token_delivery_modes_supported": ["poll", "ping"],
            "backchannel_user_code_parameter_supported": False,
            "authorization_details_types_supported": [act.TYPE, reading.TYPE],
            "client_id_metadata_document_supported": True,
            "scopes_supported": ["openid", asking.SCOPE],
        }


@dataclass(frozen=True, slots=True)
class ServiceMetadata:
    """A service: its identifier, its name, where its keys and actions stand, and the servers it accepts.

    `authorization_servers` is None where it accepts whichever a person links. `ticket_uri` is where its own approval
    server sends browsers to be told who is signed in; None where it has none. `personal` tells that the terms of some
    of its actions are told to an asking token alone, `readable` that it publishes reads.
    """

    resource: str
    name: str
    jwks_uri: str
    actions_uri: str
    link_uri: str
    act_uri: str
    authorization_servers: tuple[str, ...] | None
    ticket_uri: str | None = None
    personal: bool = False
    readable: bool = False

    def document(self) -> dict[str, Json]:
        """Give the document that stands at the service's well-known address."""
        document: dict[str, Json] = {
            "resource": self.resource,
            "resource_name": self.name,
            "jwks_uri": self.jwks_uri,
            "txn_challenge_jwks_uri": self.jwks_uri,
            "txn_challenge_signing_alg_values_supported": list(ALGORITHMS),
            "authorization_details_types_metadata_endpoint": self.actions_uri,
            "authorization_details_types_supported": [act.TYPE],
            "bearer_methods_supported": [],
            "dpop_bound_access_tokens_required": True,
            "dpop_signing_alg_values_supported": list(ALGORITHMS),
            "oneact_versions_supported": list(VERSIONS),
            "oneact_link_uri": self.link_uri,
            "oneact_act_uri": self.act_uri,
        }
        if self.personal:
            document["scopes_supported"] = [asking.SCOPE]
        if self.readable:
            document["authorization_details_types_supported"] = [act.TYPE, reading.TYPE]
        if self.authorization_servers is not None:
            document["authorization_servers"] = list(self.authorization_servers)
        if self.ticket_uri is not None:
            document["oneact_ticket_uri"] = self.ticket_uri
        return document


def parse_server(value: Json, issuer: str) -> ServerMetadata:
    """Read a server's document; its issuer has to be the very text it was asked for (RFC 8414 section 3.3).

    Every endpoint has to stand at the issuer's own origin: what is sent there is meant for the issuer alone.
    """
    members = _members(value)
    if members.get("issuer") != issuer:
        raise Refusal(Reason.METADATA_INVALID, "the issuer differs from the one asked for")
    endpoints = {name: form.text(members[name], Reason.METADATA_INVALID) for name in _ENDPOINTS if name in members}
    _check_origins(endpoints.values(), issuer)
    return ServerMetadata(issuer, endpoints)


def parse_service(value: Json, resource: str) -> ServiceMetadata:
    """Read a service's document; it has to name the very resource it was asked for (RFC 9728 section 3.3).

    Its addresses have to stand at its own origin.
    """
    members, reason = _members(value), Reason.METADATA_INVALID
    if members.get("resource") != resource:
        raise Refusal(reason, "the resource differs from the one asked for")
    listed, scopes = members.get("authorization_servers"), members.get("scopes_supported")
    ticket_uri, types = members.get("oneact_ticket_uri"), members.get("authorization_details_types_supported")
    found = ServiceMetadata(
        resource=resource,
        name=form.text(members.get("resource_name"), reason, 80),
        jwks_uri=form.text(members.get("txn_challenge_jwks_uri"), reason),
        actions_uri=form.text(members.get("authorization_details_types_metadata_endpoint"), reason),
        link_uri=form.text(members.get("oneact_link_uri"), reason),
        act_uri=form.text(members.get("oneact_act_uri"), reason),
        authorization_servers=None if listed is None else form.texts(listed, reason, 32),
        ticket_uri=None if ticket_uri is None else form.text(ticket_uri, reason),
        readable=isinstance(types, list) and reading.TYPE in types,
        personal=scopes is not None and asking.SCOPE in form.texts(scopes, reason, 32),
    )
    own = (found.jwks_uri, found.actions_uri, found.link_uri, found.act_uri, found.ticket_uri or found.act_uri)
    _check_origins(own, resource)
    return found


def well_known(identifier: str, path: str) -> str:
    """Give the well-known address of an issuer or resource: the path goes between host and path (RFC 8414, 3.1)."""
    parts = split(identifier)
    return f"{parts.scheme}://{parts.netloc}{path}{parts.path.rstrip('/')}"


def lies_under(uri: str, resource: str) -> bool:
    """Tell whether an address lies below a resource, on a host whose other paths may be other services' as well."""
    rest = uri.removeprefix(resource + "/")
    segments = unquote(rest.partition("?")[0]).replace("\\", "/").split("/")
    return rest != uri and not {".", ".."} & set(segments)


def origin(uri: str) -> str:
    """Give scheme and authority of a URI, as a text to compare; refuses `metadata_invalid` for what is no URI."""
    parts = split(uri)
    return f"{parts.scheme}://{parts.netloc}"


def split(uri: str, reason: Reason = Reason.METADATA_INVALID) -> SplitResult:
    """Take a URI apart that someone else wrote; refuses with `reason` what is none, or has no port that there is."""
    try:
        parts = urlsplit(uri)
        _ = parts.port  # read here, where a bad one is refused
    except ValueError as error:
        raise Refusal(reason, "not a URI") from error
    return parts


def _check_origins(addresses: Iterable[str], identifier: str) -> None:
    own = origin(identifier)
    if any(origin(address) != own for address in addresses):
        raise Refusal(Reason.METADATA_INVALID, f"an address is not at {own}")


def _members(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise Refusal(Reason.METADATA_INVALID, "not an object")
    versions = value.get("oneact_versions_supported")
    if not isinstance(versions, list) or not set(VERSIONS) & {item for item in versions if isinstance(item, str)}:
        raise Refusal(Reason.METADATA_INVALID, "no version in common")
    return value
