"""Pairing, once: register the key, show the person a code, wait until they have confirmed it (RFC 7591, RFC 8628)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.agent.errors import Denied, Expired, Unreachable
from oneact.agent.flow import Answer, Call, Event, Step, Wait, steps
from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from oneact.protocol.jwk import PublicKey
    from oneact.protocol.metadata import ServerMetadata

_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_SERVER: Final = "the approval server"
_NEEDED: Final = (
    "registration_endpoint",
    "device_authorization_endpoint",
    "token_endpoint",
    "transaction_authorization_endpoint",
    "cancellation_endpoint",
    "receipt_endpoint",
)
_CREATED: Final = 201
_OK: Final = 200


def discover(issuer: str) -> Generator[Step, Event, ServerMetadata]:
    """Give the approval server's metadata, with every endpoint that an agent needs."""
    answer = steps.arrived((yield Call("GET", metadata.well_known(issuer, metadata.SERVER_PATH))), _SERVER)
    if answer.status != _OK:
        raise Unreachable(f"{issuer} has no metadata ({answer.status})")
    found = metadata.parse_server(canonical.parse(answer.body), issuer)
    for name in _NEEDED:
        if name not in found.endpoints:
            raise Refusal(Reason.METADATA_INVALID, f"{name} is not there")
    return found


def register(server: ServerMetadata, key: PublicKey, name: str) -> Generator[Step, Event, str]:
    """Register the public key, with a proof that it is held, and give the client identifier."""
    body = canonical.encode({"client_name": name, "jwks": {"keys": [key.public_jwk()]}})
    headers = {"Content-Type": "application/json"}
    address = server.endpoints["registration_endpoint"]
    answer = steps.arrived((yield Call("POST", address, headers, body=body, proved=True)), _SERVER)
    if answer.status != _CREATED or not answer.member("client_id"):
        raise steps.refused(answer)
    return answer.member("client_id")


def pair(
    server: ServerMetadata, name: str, on_code: Callable[[str, str], None], pairing_code: str = ""
) -> Generator[Step, Event, str]:
    """Show the person code and address through `on_code`, wait, and give the hint.

    With `pairing_code`, which the person made at their own page, there is nothing to type, and the code shown is
    empty. Raises `Denied`, `Expired`, `Refused` or `Unreachable`.
    """
    form = {"agent_name": name, **({"pairing_code": pairing_code} if pairing_code else {})}
    address = server.endpoints["device_authorization_endpoint"]
    started = steps.arrived((yield Call("POST", address, {}, form, authenticated=True)), _SERVER)
    if started.status != _OK:
        raise steps.refused(started)
    on_code("" if pairing_code else started.member("user_code"), started.member("verification_uri"))
    interval = started.members().get("interval")
    pause = interval if type(interval) is int and interval > 0 else 5
    form = {"grant_type": _GRANT, "device_code": started.member("device_code")}
    poll = Call("POST", server.endpoints["token_endpoint"], {}, form, authenticated=True)
    while True:
        yield Wait(pause)
        event = yield poll
        if not isinstance(event, Answer):
            continue
        if event.status == _OK:
            return event.member("login_hint")
        error = event.member("error")
        if error == "slow_down":
            pause += 5
        elif error == "access_denied":
            raise Denied("the person did not pair this agent")
        elif error == "expired_token":
            raise Expired("nobody typed the code in time")
        elif error != "authorization_pending":
            raise steps.refused(event)
