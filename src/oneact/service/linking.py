"""Linking a local account to a person at an approval server (OpenID Connect code flow with PKCE, PAR, RFC 9207).

Linking adds a credential, so it is bound on both sides: to one browser by a cookie, to the account signed in there at
the start and at the end, and to a sign-in of the last five minutes.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from oneact.errors import Reason, Refusal
from oneact.fetch import form_body
from oneact.protocol import canonical, client_assertion, form, id_token, metadata
from oneact.service import approvers, browser, exchange, link_page, reading, unlinking
from oneact.service.exchange import Answer
from oneact.service.store.contract import Link, LinkState

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.id_token import IdToken
    from oneact.service.act import LocalAccount
    from oneact.service.exchange import Request
    from oneact.service.guard import GuardCore

LINK_PATH: Final = "/oneact/link"
CALLBACK_PATH: Final = "/oneact/link/callback"
ROSTER_PATH: Final = "/oneact/roster"
_MORE: Final = "more=1"  # the query with which a further person opens the form
_STATE_SECONDS: Final = 600
_MAX_LABEL: Final = 80
_LOCAL_FORMS: Final = "'self' https: http://localhost:* http://127.0.0.1:*"


def client_document(guard: GuardCore) -> dict[str, Json]:
    """Give the service's client-id metadata document, whose address is its client_id."""
    return {
        "client_id": guard.resource + metadata.CLIENT_PATH,
        "client_name": guard.name,
        "redirect_uris": [guard.resource + CALLBACK_PATH],
        "jwks_uri": f"{guard.resource}/oneact/jwks.json",
        "token_endpoint_auth_method": "private_key_jwt",
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "oneact_resource": guard.resource,
        "oneact_roster_uri": guard.resource + ROSTER_PATH,
    }


async def page(guard: GuardCore, request: Request) -> Answer:
    """Show the form, or what the account is linked to; where the approval server is the service's own, lead there."""
    if guard.own_server is not None:
        return Answer(303, headers=(("Location", guard.own_server + "/"),))
    account = await guard.signed_in(request.native)
    if account is None:
        way = guard.sign_in(LINK_PATH)
        if way is not None:
            return Answer(303, headers=(("Location", way),))
        raise Refusal(Reason.SESSION_REQUIRED)
    links = await guard.store.links(account.id)
    if links and (request.query != _MORE or len(links) >= guard.approvers):
        return await _linked(guard, account, [link.roster.iss for link in links])
    browser.check_fresh(guard, account)
    session = browser.session_of(guard, request)
    token, action = browser.csrf(session), guard.resource + LINK_PATH
    html = link_page.form(site(guard), account.label, guard.issuers.listed, action, token)
    return browser.with_session(guard, _page(guard, html), session)


async def start(guard: GuardCore, request: Request) -> Answer:
    """Push the authorization request and send the browser to the approval server."""
    session, account = await _person(guard, request)
    fields = browser.check_form(guard, request, session)
    issuer = str(fields.get("issuer", "")).strip().rstrip("/")
    if guard.own_server is not None or not guard.issuers.may_link(issuer):
        raise Refusal(Reason.LINK_ISSUER, issuer)
    if len(await guard.store.links(account.id)) >= guard.approvers:
        raise Refusal(Reason.LINK_EXISTS, "the account has all its links")
    return await _push(guard, account, session, issuer)


async def callback(guard: GuardCore, request: Request) -> Answer:
    """Take the code back in the same browser, exchange it, and pin the roster that comes with it."""
    fields = {name: str(value) for name, value in reading.fields(request.query).items()}
    kept = await guard.store.take_state(canonical.sha256(fields.get("state", "").encode()))
    session, account = await _person(guard, request)
    if kept is None or guard.now() >= kept.expires or kept.session != canonical.sha256(session.encode()):
        raise Refusal(Reason.LINK_STATE, "no such state in this browser")
    if kept.account != account.id:
        raise Refusal(Reason.LINK_STATE, "another account is signed in")
    if fields.get("iss") != kept.issuer or not guard.issuers.may_link(kept.issuer):
        raise Refusal(Reason.LINK_ISSUER, fields.get("iss", ""))
    if "code" not in fields:
        return _page(guard, link_page.message(site(guard), "Not linked", "You said no. Nothing has changed."), 403)
    found = await _exchange(guard, kept, fields["code"])
    signed = found.signed_roster
    link = Link(account.id, signed.roster, guard.now(), signed.webauthn.members())
    if not await guard.store.link(link):
        return await approvers.propose(guard, account, link)
    await guard.tell(account.id, "linked")
    return await _linked(guard, account, [kept.issuer])


def site(guard: GuardCore) -> link_page.Site:
    """Give what the pages call the service, and where they lead back to."""
    return link_page.Site(guard.name, guard.resource + "/")


async def _person(guard: GuardCore, request: Request) -> tuple[str, LocalAccount]:
    """Give the browser's session and the account that has just signed in there."""
    session, account = await browser.person(guard, request)
    browser.check_fresh(guard, account)
    return session, account


async def _linked(guard: GuardCore, account: LocalAccount, issuers: list[str]) -> Answer:
    way = guard.resource + unlinking.UNLINK_PATH if guard.tells_later else None
    waits = await unlinking.ends(guard, account.id) is not None
    more = f"{guard.resource}{LINK_PATH}?{_MORE}" if len(issuers) < guard.approvers else None
    ways = link_page.Ways(way, more, guard.unlink_command)
    return _page(guard, link_page.linked(site(guard), account.label, issuers, ways, waits=waits))


async def _push(guard: GuardCore, account: LocalAccount, session: str, issuer: str) -> Answer:
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    pushed = await _post(guard, issuer, "pushed_authorization_request_endpoint", 201, {
        "response_type": "code", "redirect_uri": guard.resource + CALLBACK_PATH, "scope": "openid", "state": state,
        "nonce": nonce, "code_challenge": challenge, "code_challenge_method": "S256", "resource": guard.resource,
    })  # fmt: skip
    request_uri = form.text(pushed.get("request_uri"), Reason.METADATA_INVALID)
    authorize = await guard.issuers.endpoint(issuer, "authorization_endpoint")
    kept = LinkState(
        state=canonical.sha256(state.encode()),
        session=canonical.sha256(session.encode()),
        account=account.id,
        label=account.label[:_MAX_LABEL],
        issuer=issuer,
        nonce=nonce,
        verifier=verifier,
        expires=guard.now() + _STATE_SECONDS,
    )
    await guard.store.keep_state(kept)
    query = urlencode({"client_id": guard.resource + metadata.CLIENT_PATH, "request_uri": request_uri})
    return Answer(303, headers=(("Location", f"{authorize}?{query}"), ("Cache-Control", "no-store")))


async def _exchange(guard: GuardCore, kept: LinkState, code: str) -> IdToken:
    answer = await _post(guard, kept.issuer, "token_endpoint", 200, {
        "grant_type": "authorization_code", "code": code, "redirect_uri": guard.resource + CALLBACK_PATH,
        "code_verifier": kept.verifier, "account_label": kept.label,
    })  # fmt: skip
    text = answer.get("id_token")
    if not isinstance(text, str):
        raise Refusal(Reason.ID_TOKEN_INVALID, "no ID token")

    async def checked(*, refresh: bool) -> IdToken:
        keys = await guard.issuers.keys(kept.issuer, refresh=refresh)
        client_id = guard.resource + metadata.CLIENT_PATH
        return id_token.check(text, keys, kept.issuer, client_id, guard.resource, kept.nonce, guard.now())

    try:
        return await checked(refresh=False)
    except Refusal as refusal:
        if refusal.reason is not Reason.ID_TOKEN_INVALID:
            raise
    return await checked(refresh=True)


async def _post(guard: GuardCore, issuer: str, endpoint: str, status: int, members: dict[str, str]) -> dict[str, Json]:
    """Post a form with the service's assertion and give the JSON object of the answer."""
    client_id = guard.resource + metadata.CLIENT_PATH
    assertion = client_assertion.build(guard.keys.signing, client_id, issuer, guard.now(), secrets.token_urlsafe(16))
    authenticated = {
        **members, "client_id": client_id, "client_assertion_type": client_assertion.ASSERTION_TYPE,
        "client_assertion": assertion,
    }  # fmt: skip
    found = await guard.fetcher.request(
        "POST",
        await guard.issuers.endpoint(issuer, endpoint),
        headers={"Content-Type": exchange.FORM, "Accept": exchange.JSON},
        body=form_body(authenticated),
    )
    if found.status != status:
        raise Refusal(Reason.METADATA_UNREACHABLE, f"{endpoint} answered {found.status}: {found.body[:300]!r}")
    value = found.json()
    return value if isinstance(value, dict) else {}


def _page(guard: GuardCore, html: str, status: int = 200) -> Answer:
    """Give a page whose form may lead to the approval servers, where the answer to it redirects."""
    listed = guard.issuers.listed
    targets = _LOCAL_FORMS if listed is None else " ".join(["'self'", *(metadata.origin(item) for item in listed)])
    return exchange.of_page(html, status, targets)
