"""The way of an agent with a key: its token and proof as members of `_meta`, or as header fields over HTTP.

Members of `_meta` are presented as one request to the action's published method and path; header fields belong to the
HTTP request in which they came. Either way the guard makes all its checks: here is only translated.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from oneact.errors import Reason, Refusal
from oneact.protocol.tool import ACCEPT, AUTHORIZATION, PROOF
from oneact.service.exchange import Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from oneact.protocol.action import Action

_ACCEPT_FIELD: Final = "accept-txn-challenge"
_MEMBERS: Final = {AUTHORIZATION: "authorization", PROOF: "dpop", ACCEPT: _ACCEPT_FIELD}
_SCHEME: Final = "dpop"


def request_of(action: Action, meta: Mapping[str, Any], http: Request | None, resource: str) -> Request | None:
    """Give the request with which an act, or an offer, is asked for; None where the caller brought nothing of it.

    Its path lies below `resource`: an endpoint elsewhere on the host takes no header fields.

    What comes by both ways comes twice, which the guard refuses (check 1). Refuses `request_malformed` for a member
    that is no text of visible ASCII.
    """
    by_header = () if http is None else of_headers(http)
    by_member = tuple((header, _text(member, meta[member])) for member, header in _MEMBERS.items() if member in meta)
    if by_member:
        client = "" if http is None else http.client
        return Request(action.method, action.path, "", (*by_member, *by_header), b"", client)
    return with_headers(http, resource) if http is not None and by_header else None


def with_headers(http: Request, resource: str) -> Request:
    """Give an HTTP request, its path below `resource`, with nothing but the header fields that are for the guard."""
    return replace(http, headers=of_headers(http), path=http.path.removeprefix(urlsplit(resource).path))


def of_headers(http: Request) -> tuple[tuple[str, str], ...]:
    """Give the header fields that are meant for the guard.

    The host's own sign-in may stand in `Authorization` too: without a proof, only what says DPoP is for the guard.
    """
    proved = bool(http.values("dpop"))
    return tuple(
        (name, value)
        for name, value in http.headers
        if name in {"dpop", _ACCEPT_FIELD}
        or (name == "authorization" and (proved or value.partition(" ")[0].lower() == _SCHEME))
    )


def _text(member: str, value: object) -> str:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise Refusal(Reason.REQUEST_MALFORMED, f"{member} in _meta")
    return value
