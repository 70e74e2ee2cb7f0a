"""What the service sends its sidecar: closed forms, read strictly; a fault here is the service's, never an agent's."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import form
from oneact.service.act import LocalAccount
from oneact.service.exchange import Request

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.service.store.contract import State

_MALFORMED: Final = Reason.REQUEST_MALFORMED
_REQUEST: Final = frozenset({"method", "url", "headers", "client"})
_ASKED: Final = (_REQUEST | {"action", "parameters"}, frozenset({"path", "terms"}))
# The members of each call: those it has, and those it may have.
MEMBERS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "/offer": _ASKED,
    "/verify": _ASKED,
    "/read": (_REQUEST | {"read"}, frozenset()),
    "/receipt": (frozenset({"ticket", "status"}), frozenset({"content_type", "body_base64"})),
    "/page": (_REQUEST | {"account"}, frozenset({"body_base64"})),
    "/settle": (frozenset({"issuer", "txn", "state"}), frozenset()),
    "/unlink": (frozenset({"account"}), frozenset()),
}
_STATUSES: Final = range(200, 600)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for an act: `flat` are its parameters, or None where the request's body is still to be read.

    `path` are the parameters in the path, `terms` what the service states now, None for an action without terms.
    """

    action: str
    request: Request
    flat: dict[str, Json] | None
    path: dict[str, str]
    terms: dict[str, Json] | None


@dataclass(frozen=True, slots=True)
class ToRead:
    """A request for the read `name`."""

    name: str
    request: Request


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of an act: `status` is None where the service does not know, `body` where it does not say."""

    ticket: str
    status: int | None
    content_type: str
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What the owner found out later of the act `txn` that was approved at `issuer`."""

    issuer: str
    txn: str
    state: State


def asked(value: Json) -> Asked:
    """Read the call of `/offer` and `/verify`; refuses `request_malformed`."""
    call = _members("/verify", value)
    given, terms = call["parameters"], call.get("terms")
    if not isinstance(given, dict | str):
        raise Refusal(_MALFORMED, "parameters are neither an object nor the request's body as text")
    if terms is not None and not isinstance(terms, dict):
        raise Refusal(_MALFORMED, "terms are no object")
    if not isinstance(call["action"], str):
        raise Refusal(_MALFORMED, "action is no text")
    body = given.encode() if isinstance(given, str) else b""
    flat = given if isinstance(given, dict) else None
    return Asked(call["action"], _request(call, body), flat, _texts(call.get("path", {})), terms)


def read(value: Json) -> ToRead:
    """Read the call of `/read`; refuses `request_malformed`."""
    call = _members("/read", value)
    return ToRead(form.text(call["read"], _MALFORMED), _request(call, b""))


def page(value: Json) -> Request:
    """Read the call of `/page`, whose `account` becomes the request's native part; refuses `request_malformed`."""
    call = _members("/page", value)
    return _request(call, _octets(call.get("body_base64", "")), _account(call["account"]))


def ended(value: Json) -> Ended:
    """Read the call of `/receipt`; refuses `request_malformed`."""
    call = _members("/receipt", value)
    status, body = call["status"], call.get("body_base64")
    if status is not None and (type(status) is not int or status not in _STATUSES):
        raise Refusal(_MALFORMED, "status is neither null nor a number from 200 to 599")
    if status is None and call.keys() != MEMBERS["/receipt"][0]:
        raise Refusal(_MALFORMED, "an answer beside a status that is not known")
    kind = form.text(call.get("content_type", "application/octet-stream"), _MALFORMED, 256)
    ticket = form.text(call["ticket"], _MALFORMED, 8192)
    return Ended(ticket, status, kind, None if body is None else _octets(body))


def settled(value: Json) -> Settled:
    """Read the call of `/settle`; refuses `request_malformed`."""
    call = _members("/settle", value)
    state = call["state"]
    if state not in {"executed", "failed"}:
        raise Refusal(_MALFORMED, "state is executed or failed")
    found: State = "executed" if state == "executed" else "failed"
    return Settled(form.text(call["issuer"], _MALFORMED), form.text(call["txn"], _MALFORMED, 128), found)


def unlinked(value: Json) -> str:
    """Read the call of `/unlink`, the id of an account; refuses `request_malformed`."""
    return form.text(_members("/unlink", value)["account"], _MALFORMED)


def _members(path: str, value: Json) -> dict[str, Json]:
    return form.closed(value, _MALFORMED, *MEMBERS[path])


def _request(call: dict[str, Json], body: bytes, account: LocalAccount | None = None) -> Request:
    """Give the request as the service got it; its path is the one after `resource`."""
    path, _, query = form.text(call["url"], _MALFORMED, 64 * 1024).partition("?")
    if not path.startswith("/"):
        raise Refusal(_MALFORMED, "url does not begin with a slash")
    method, client = form.text(call["method"], _MALFORMED, 16), call["client"]
    if not isinstance(client, str):
        raise Refusal(_MALFORMED, "client is no text")
    return Request(method, path, query, _headers(call["headers"]), body, client, native=account)


def _headers(value: Json) -> tuple[tuple[str, str], ...]:
    """Read header fields by name, each with its values in an array: two of one name must not become one."""
    if not isinstance(value, dict):
        raise Refusal(_MALFORMED, "headers are no object")
    found = []
    for name, values in value.items():
        if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
            raise Refusal(_MALFORMED, f"header {name!r} has no array of texts")
        found += [(name.lower(), str(item)) for item in values]
    return tuple(found)


def _texts(value: Json) -> dict[str, str]:
    if not isinstance(value, dict):
        raise Refusal(_MALFORMED, "path is no object")
    found = {name: item for name, item in value.items() if isinstance(item, str)}
    if len(found) != len(value):
        raise Refusal(_MALFORMED, "path holds what is no text")
    return found


def _account(value: Json) -> LocalAccount | None:
    if value is None:
        return None
    members = form.closed(value, _MALFORMED, {"id", "label", "auth_time"})
    label, auth_time = form.text(members["label"], _MALFORMED), form.integer(members["auth_time"], _MALFORMED)
    return LocalAccount(form.text(members["id"], _MALFORMED), label, auth_time)


def _octets(value: Json) -> bytes:
    try:
        return base64.b64decode(str(value) if isinstance(value, str) else "?", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(_MALFORMED, "body_base64 is not base64") from error
