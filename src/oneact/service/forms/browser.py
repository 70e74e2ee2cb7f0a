"""What a browser brings along: the cookie by which it is known again, and where its request comes from."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url, canonical, metadata

if TYPE_CHECKING:
    from collections.abc import Collection

    from oneact.service.exchange import Request
    from oneact.service.typed.handler import Handler

_OCTETS: Final = 32
# Header fields of a submission that are given on with it; those of the request that has it run are left out.
REPLAYED: Final = frozenset(
    {"content-type", "origin", "referer", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user"}
)
# A page is kept as its handler has made it, so that nothing may pack it.
LEFT_OUT: Final = REPLAYED | {"accept-encoding"}


def cookie_name(resource: str) -> str:
    """Give the name of the guard's own cookie; over https no other host can set it."""
    return "__Host-oneact-form" if resource.startswith("https:") else "oneact-form"


def cookie(resource: str, secret: str) -> tuple[str, str]:
    """Give the header field that sets the cookie."""
    secure = "; Secure" if resource.startswith("https:") else ""
    return "Set-Cookie", f"{cookie_name(resource)}={secret}; Path=/; HttpOnly; SameSite=Lax{secure}"


def secret(resource: str, request: Request, account: str, key: bytes) -> str:
    """Give what the browser's cookie holds, or a new one.

    Who presses a button twice submits the second time before the first answer has set a cookie. So a new secret is
    made, under the service's `key`, of the cookies by which the host itself knows the browser: the same for both.
    """
    found = request.cookie(cookie_name(resource)) or ""
    if len(found) >= _OCTETS:
        return found
    cookies = "\n".join(request.values("cookie"))
    if not cookies:
        return secrets.token_urlsafe(_OCTETS)
    made = hmac.digest(key, f"oneact-form-cookie-1\n{account}\n{cookies}".encode("utf-8", "surrogatepass"), "sha256")
    return base64url.encode(made)


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


def is_agent(head: Request) -> bool:
    """Tell whether a request comes with a token, or asks for an offer; a browser's own sign-in may be a header too."""
    tokens = [value for value in head.values("authorization") if value.partition(" ")[0].lower() == "dpop"]
    return bool(tokens or head.values("accept-txn-challenge") or head.values("dpop"))


def check_beside(name: str, beside: Collection[str], handler: Handler, *, passes: bool) -> frozenset[str]:
    """Give the fields beside the parameters; raises ValueError for one of those, or a handler that needs an act."""
    if passes and handler.needs_act:
        raise ValueError(
            f'action {name}: with unlinked="pass" it runs without an approval, too; write `act: Act | None`'
        )
    taken = set(beside) & handler.parameters.names
    if taken:
        raise ValueError(f"action {name}: beside= names {sorted(taken)}, which are parameters and are signed")
    return frozenset(beside)


def _origin(uri: str) -> str:
    try:
        return metadata.origin(uri)
    except Refusal:
        return ""
