"""The two steps by which a browser comes from the service with a ticket, and the one by which it leaves."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from starlette.responses import RedirectResponse

from oneact.errors import Reason, Refusal
from oneact.server import beside
from oneact.server.beside import Beside
from oneact.server.pages import shell

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from oneact.server.pages.shell import Endpoint
    from oneact.server.sessions import Session
    from oneact.server.settings import Settings
    from oneact.server.world import World

_SECONDS: Final = 600
_SEPARATOR: Final = "~"  # base64url has none


async def _sign_in(request: Request, world: World, session: Session | None) -> Response:
    """Send the browser to the service for a ticket, with a cookie that it has to bring back."""
    target = shell.own_path(world.settings, request.query_params.get("next", ""))
    fresh = "fresh" in request.query_params
    if session is not None and not fresh:
        return RedirectResponse(target, 303)
    secret = secrets.token_urlsafe(32)
    response = RedirectResponse(await beside.ticket_address(world, _host(world), secret, fresh=fresh), 303)
    _set_cookie(response, world.settings, secret + _SEPARATOR + target)
    return response


async def _enter(request: Request, world: World, __: Session | None) -> Response:
    """Take the ticket, and go on to where the browser wanted to go."""
    secret, _, target = request.cookies.get(_cookie_name(world.settings), "").partition(_SEPARATOR)
    token = await beside.enter(world, _host(world), secret, request.query_params.get("ticket", ""))
    response = RedirectResponse(shell.own_path(world.settings, target), 303)
    _set_cookie(response, world.settings, "")
    shell.set_cookie(response, world.settings, token, beside.LIFETIME)
    return response


async def _leave(request: Request, world: World, _: Session | None) -> Response:
    """End the session, and go back to the service."""
    shell.check_own_page(request, world.settings)
    await beside.leave(world, request.cookies.get(world.settings.session_cookie, ""))
    response = RedirectResponse(_host(world).resource + "/", 303)
    shell.set_cookie(response, world.settings, "")
    return response


sign_in: Endpoint = shell.opened(_sign_in)
enter: Endpoint = shell.opened(_enter)
leave: Endpoint = shell.opened(_leave)


def _host(world: World) -> Beside:
    if not isinstance(world.host, Beside):
        raise Refusal(Reason.ADDRESS_UNKNOWN, "this server takes no tickets")
    return world.host


def _cookie_name(settings: Settings) -> str:
    return settings.session_cookie + "-enter"


def _set_cookie(response: Response, settings: Settings, value: str) -> None:
    response.set_cookie(
        _cookie_name(settings),
        value,
        max_age=_SECONDS if value else 0,
        path=settings.path or "/",
        secure=settings.secure,
        httponly=True,
        samesite="lax",
    )
