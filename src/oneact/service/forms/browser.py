"""What a browser brings along: the cookie by which it is known again, and where its request comes from."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, metadata

if TYPE_CHECKING:
    from oneact.service.exchange import Request

_OCTETS: Final = 32


def cookie_name(resource: str) -> str:
    """Give the name of the guard's own cookie; over https no other host can set it."""
    return "__Host-oneact-form" if resource.startswith("https:") else "oneact-form"


def cookie(resource: str, secret: str) -> tuple[str, str]:
    """Give the header field that sets the cookie."""
    secure = "; Secure" if resource.startswith("https:") else ""
    return "Set-Cookie", f"{cookie_name(resource)}={secret}; Path=/; HttpOnly; SameSite=Lax{secure}"


def secret(resource: str, request: Request) -> str:
    """Give what the browser's cookie holds, or a new one."""
    found = request.cookie(cookie_name(resource)) or ""
    return found if len(found) >= _OCTETS else secrets.token_urlsafe(_OCTETS)


def session(resource: str, request: Request) -> str:
    """Give the digest by which the browser is known; empty where it has no cookie."""
    found = request.cookie(cookie_name(resource))
    return digest(found) if found else ""


def digest(secret: str) -> str:
    """Give the digest of what a cookie holds: the store alone opens nothing."""
    return canonical.sha256(b"oneact-form-1\n" + secret.encode())


def check_origin(resource: str, request: Request) -> None:
    """Refuse `csrf` for what another site's page has a browser submit, and where nobody can tell.

    Fetch metadata tells by itself: a page with `Referrer-Policy: no-referrer` submits with `Origin: null`.
    """
    own = metadata.origin(resource)
    sites, origins, referer = request.values("sec-fetch-site"), request.values("origin"), request.value("referer")
    if sites:
        good = set(sites) == {"same-origin"}
    elif origins:
        good = set(origins) == {own}
    else:
        good = referer is not None and _origin(referer) == own
    if not good:
        raise Refusal(Reason.CSRF, f"sec-fetch-site {sites}, origin {origins}, referer {referer!r}")


def _origin(uri: str) -> str:
    try:
        return metadata.origin(uri)
    except Refusal:
        return ""
