"""The page on which an account of the hosting service makes its first passkey, and signs with it that it is its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse

from oneact.errors import Reason, Refusal
from oneact.server import hosting, http
from oneact.server.pages import shell

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from oneact.protocol.canonical import Json
    from oneact.server.hosting import Guest, Host
    from oneact.server.pages.shell import Endpoint
    from oneact.server.sessions import Session
    from oneact.server.world import World

    Call = Callable[[World, Host, Guest, dict[str, Json]], Awaitable[dict[str, Any]]]


async def _page(request: Request, world: World, session: Session | None) -> Response:
    """Show what is still to be done before an agent can ask; who is not signed in at the service is sent there."""
    target = shell.own_path(world.settings, request.query_params.get("next", ""))
    if session is not None:
        return RedirectResponse(target, 303)
    host = _host(world)
    guest = await host.guest(world, request)
    if guest is None:
        return _to_sign_in(host, target)
    fresh = 0 <= world.now() - guest.auth_time <= hosting.FRESH
    return shell.render(
        request,
        None,
        "enrol.html",
        guest=guest,
        target=target,
        made=await hosting.has_passkey(world, guest),
        pinned=await host.standing(world, guest) is not None,
        fresh=fresh,
        sign_in=host.sign_in(target, fresh=True),
    )


page: Endpoint = shell.opened(_page)


def post(call: Call) -> Endpoint:
    """Make an endpoint of a script's post by who is signed in at the service."""

    async def answer(request: Request, value: dict[str, Json]) -> Response:
        world = http.world_of(request)
        host = _host(world)
        guest = await host.guest(world, request)
        if guest is None:
            raise Refusal(Reason.SESSION_REQUIRED, request.url.path)
        return http.answer(await call(world, host, guest, value))

    return shell.open_post(answer)


async def begin(world: World, host: Host, guest: Guest, _: dict[str, Json]) -> dict[str, Any]:
    """Start to make the first passkey."""
    return await hosting.begin_passkey(world, host, guest)


async def created(world: World, host: Host, guest: Guest, value: dict[str, Json]) -> dict[str, Any]:
    """Take the passkey that the device has made, which is then to sign."""
    return await hosting.make_passkey(world, host, guest, value.get("gesture"), value.get("credential"))


async def sign(world: World, host: Host, guest: Guest, _: dict[str, Json]) -> dict[str, Any]:
    """Start to sign with a passkey that has been made before."""
    return await hosting.begin_roster(world, host, guest)


async def finish(world: World, host: Host, guest: Guest, value: dict[str, Json]) -> dict[str, Any]:
    """Have the service pin what was signed."""
    await hosting.sign_roster(world, host, guest, value.get("gesture"), value.get("credential"))
    return {}


def _host(world: World) -> Host:
    if world.host is None:
        raise Refusal(Reason.ADDRESS_UNKNOWN, "this server is for no one service")
    return world.host


def _to_sign_in(host: Host, target: str) -> Response:
    address = host.sign_in(target)
    if address is None:
        raise Refusal(Reason.SESSION_REQUIRED, host.resource)
    return RedirectResponse(address, 303)
