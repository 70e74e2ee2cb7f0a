"""The browser in front of the service's own pages: who is signed in there, and that a form is of this very browser."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, metadata
from oneact.service import exchange, reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.service.act import LocalAccount
    from oneact.service.exchange import Answer, Request
    from oneact.service.guard import GuardCore

_LOGIN_SECONDS: Final = 300


async def person(guard: GuardCore, request: Request) -> tuple[str, LocalAccount]:
    """Give the browser's session and the account signed in there, however long ago.

    Refuses `session_required`, and `link_state` for a browser that has not opened the page.
    """
    account = await guard.signed_in(request.native)
    if account is None:
        raise Refusal(Reason.SESSION_REQUIRED)
    session = request.cookie(_cookie_name(guard))
    if not session:
        raise Refusal(Reason.LINK_STATE, "no cookie")
    return session, account


def check_fresh(guard: GuardCore, account: LocalAccount) -> None:
    """Refuse `link_login_stale` for a sign-in that is not of the last five minutes."""
    if not is_fresh(guard, account):
        raise Refusal(Reason.LINK_LOGIN_STALE, f"auth_time {account.auth_time} of {account.id!r} at {guard.now()}")


def is_fresh(guard: GuardCore, account: LocalAccount) -> bool:
    """Tell whether the sign-in is of the last five minutes."""
    return 0 <= guard.now() - account.auth_time <= _LOGIN_SECONDS


def check_form(guard: GuardCore, request: Request, session: str) -> Mapping[str, object]:
    """Give the fields of a form; refuses `csrf` for one that is not from this browser's own page."""
    fields = reading.fields(request.body.decode("ascii", "replace"))
    if request.media_type() != exchange.FORM or fields.get("csrf") != csrf(session):
        raise Refusal(Reason.CSRF, "the form's token")
    if any(origin != metadata.origin(guard.resource) for origin in request.values("origin")):
        raise Refusal(Reason.CSRF, "origin")
    return fields


def session_of(guard: GuardCore, request: Request) -> str:
    """Give the browser's session, a new one where it has none."""
    return request.cookie(_cookie_name(guard)) or secrets.token_urlsafe(32)


def with_session(guard: GuardCore, answer: Answer, session: str) -> Answer:
    """Give a page that binds the browser to its session for an hour."""
    secure = "; Secure" if guard.resource.startswith("https:") else ""
    cookie = f"{_cookie_name(guard)}={session}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax{secure}"
    return answer.with_headers(("Set-Cookie", cookie))


def csrf(session: str) -> str:
    """Give what a form of this browser carries."""
    return canonical.sha256(b"oneact-link-form\n" + session.encode())


def _cookie_name(guard: GuardCore) -> str:
    return "__Host-oneact-link" if guard.resource.startswith("https:") else "oneact-link"
