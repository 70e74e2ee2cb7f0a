"""Linking, the service's half: the pushed request, and the code that becomes an ID token with the roster."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import base64url, canonical, client_assertion, form, id_token, roster
from oneact.server import services
from oneact.store import Write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.canonical import Json
    from oneact.server.services import ServiceClient
    from oneact.server.world import World
    from oneact.store.contract import Row

LIFETIME: Final = 60
SIGN_IN: Final = 600  # seconds in which a person may sign in before they open a pushed request
CODE_LIFETIME: Final = 60
_PREFIX: Final = "urn:ietf:params:oauth:request_uri:"
_PARAMETERS: Final = {  # with their lengths in characters
    "response_type": 16,
    "redirect_uri": form.MAX_TEXT,
    "state": 512,
    "nonce": 512,
    "code_challenge": form.DIGEST_LENGTH,
    "code_challenge_method": 16,
    "scope": 256,
}
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 section 4.1
_MAX_LABEL: Final = 80


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """A pushed request whose client has been recognised; made when a signed-in person opens it."""

    id: str
    service: ServiceClient
    redirect_uri: str
    state: str
    nonce: str
    code_challenge: str


async def push(world: World, parameters: Mapping[str, str]) -> dict[str, Json]:
    """Keep a pushed authorization request for a minute (RFC 9126).

    Nothing is fetched for it and its assertion is not looked into yet: that is done when a signed-in person opens it,
    so nobody unknown can make this server fetch anything. Refuses `request_malformed`, `scope_invalid`.
    """
    for name, limit in _PARAMETERS.items():
        form.text(parameters.get(name), Reason.REQUEST_MALFORMED, limit)
    form.digest(parameters["code_challenge"], Reason.REQUEST_MALFORMED)
    if parameters["response_type"] != "code" or parameters["code_challenge_method"] != "S256":
        raise Refusal(Reason.REQUEST_MALFORMED, "response_type or code_challenge_method")
    if "openid" not in parameters["scope"].split(" "):
        raise Refusal(Reason.SCOPE_INVALID, parameters["scope"])
    if parameters.get("client_assertion_type") != client_assertion.ASSERTION_TYPE:
        raise Refusal(Reason.CLIENT_ASSERTION, "client_assertion_type")
    asserted = client_assertion.parse(parameters.get("client_assertion", ""))
    if parameters.get("client_id", asserted.client_id) != asserted.client_id:
        raise Refusal(Reason.CLIENT_ASSERTION, "client_id is another")
    identifier = _PREFIX + world.new_id()
    kept: dict[str, Json] = {name: parameters[name] for name in _PARAMETERS}
    row = (
        identifier, asserted.client_id, parameters["client_assertion"], canonical.encode(kept).decode(),
        world.now() + LIFETIME,
    )  # fmt: skip
    await world.store.change([Write("insert_pushed_request", row)], ())
    return {"request_uri": identifier, "expires_in": LIFETIME}


async def open_request(world: World, client_id: str, request_uri: str) -> LinkRequest:
    """Recognise the service behind a pushed request; to be called for a signed-in person only, as it fetches.

    Refuses `grant_unknown`, `client_metadata`, `client_assertion`, `redirect_uri`, `metadata_…`.
    """
    now = world.now()
    row = await world.store.one("pushed_request", request_uri)
    # A person who has to sign in first needs longer than the minute in which the assertion was made.
    if row is None or row["client_id"] != client_id or row["expires_at"] + SIGN_IN < now:
        raise Refusal(Reason.GRANT_UNKNOWN, "request_uri")
    asserted = client_assertion.parse(row["client_assertion"])
    service = await services.client(world, client_id, asserted.parsed.header.kid)
    client_assertion.check(asserted, tuple(service.keys.values()), world.issuer, row["expires_at"] - LIFETIME)
    kept: dict[str, str] = json.loads(row["parameters"])
    if kept["redirect_uri"] not in service.redirect_uris:
        raise Refusal(Reason.REDIRECT_URI, kept["redirect_uri"])
    return LinkRequest(request_uri, service, kept["redirect_uri"], kept["state"], kept["nonce"], kept["code_challenge"])


async def new_code(world: World, request: LinkRequest, link_id: str, auth_time: int) -> str:
    """Make the authorization code of a link whose roster has been signed; the pushed request is used up by it."""
    code = base64url.encode(hashlib.sha256((world.new_id() + world.new_id()).encode()).digest())
    row = (
        _hash(code), link_id, request.service.client_id, request.redirect_uri, request.code_challenge,
        request.nonce, auth_time, world.now() + CODE_LIFETIME,
    )  # fmt: skip
    writes = [Write("use_pushed_request", (request.id,)), Write("insert_code", row)]
    if not await world.store.change(writes, ()):
        raise Refusal(Reason.GRANT_UNKNOWN, "the request was used at this moment")
    return code


async def exchange(world: World, parameters: Mapping[str, str]) -> dict[str, Json]:
    """Exchange a code, once, for the ID token, and link the account (RFC 6749 section 4.1.3, RFC 7636).

    A service that fails after it knows no such person and executes nothing; the link here is the person's to undo.
    Refuses `grant_unknown`, `client_assertion`, `redirect_uri`, and `link_exists` where another link stands.
    """
    code = _hash(form.text(parameters.get("code"), Reason.GRANT_UNKNOWN))
    row = await world.store.one("code", code, world.now())
    if row is None:
        raise Refusal(Reason.GRANT_UNKNOWN, "code")
    await _authenticate(world, parameters, row["client_id"])
    if not await world.store.change([Write("use_code", (code,))], ()):
        raise Refusal(Reason.GRANT_UNKNOWN, "the code was used before")
    if parameters.get("redirect_uri") != row["redirect_uri"]:
        raise Refusal(Reason.REDIRECT_URI, "another than the code's")
    verifier = parameters.get("code_verifier", "")
    challenge = canonical.sha256(verifier.encode())
    if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(challenge, row["code_challenge"]):
        raise Refusal(Reason.GRANT_UNKNOWN, "code_verifier")
    label = parameters.get("account_label", "").strip()[:_MAX_LABEL]
    link = await _link(world, row["link_id"], label)
    return {"token_type": "N_A", "expires_in": 0, "id_token": _id_token(world, row, link)}


async def _authenticate(world: World, parameters: Mapping[str, str], client_id: str) -> None:
    if parameters.get("client_assertion_type") != client_assertion.ASSERTION_TYPE:
        raise Refusal(Reason.CLIENT_ASSERTION, "client_assertion_type")
    asserted = client_assertion.parse(parameters.get("client_assertion", ""))
    if asserted.client_id != client_id:
        raise Refusal(Reason.CLIENT_ASSERTION, "another client's")
    service, now = await services.client(world, client_id, asserted.parsed.header.kid), world.now()
    client_assertion.check(asserted, tuple(service.keys.values()), world.issuer, now)
    if not world.seen.first(client_id, f"assertion {asserted.jti}", asserted.exp, now):
        raise Refusal(Reason.CLIENT_ASSERTION_REPLAYED, asserted.jti)


async def _link(world: World, link_id: str, label: str) -> Row:
    link, now = await world.store.one("link", link_id), world.now()
    if link is None:
        raise Refusal(Reason.GRANT_UNKNOWN, "link")
    content: dict[str, Json] = {
        "link": link_id,
        "service": link["resource"],
        "sub": link["sub"],
        "label": label,
        "roster": canonical.parse(link["roster"].encode()),
        "webauthn": canonical.parse(link["roster_webauthn"].encode()),
    }
    entry = Entry(Kind.SERVICE_LINKED, now, link["account_id"], "", content)
    if not await world.store.change([Write("complete_link", (link_id, now, label))], [entry]):
        raise Refusal(Reason.LINK_EXISTS, link["resource"])
    world.waiting.wake(link["account_id"])
    return link


def _id_token(world: World, row: Row, link: Row) -> str:
    kept: dict[str, Json] = {
        "roster": canonical.parse(link["roster"].encode()),
        "webauthn": canonical.parse(link["roster_webauthn"].encode()),
    }
    now = world.now()
    claims = id_token.IdToken(
        world.issuer, row["client_id"], link["sub"], now, now + id_token.LIFETIME, row["nonce"], row["auth_time"],
        roster.parse_signed(kept),
    )  # fmt: skip
    return id_token.sign(claims, world.key)


def _hash(code: str) -> str:
    return hashlib.sha256(b"oneact-code-1\n" + code.encode()).hexdigest()
