"""Pages of the account: sign up, sign in, sign out, passkeys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from oneact.server import accounts, http, linking, passkeys, rekeying, sessions
from oneact.server.pages import shell

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from oneact.protocol.canonical import Json
    from oneact.server.sessions import Session
    from oneact.server.world import World
    from oneact.store.contract import Row

_SIGN_UPS: Final = 20
_SIGN_INS: Final = 60


async def front(_: Request, world: World, __: Session) -> Response:
    """Send a person to their inbox."""
    return shell.redirect(world.settings, "/inbox")


async def sign_up_page(request: Request, world: World, session: Session | None) -> Response:
    """Show where an account is made."""
    return _door(request, world, session, "signup.html")


async def sign_in_page(request: Request, world: World, session: Session | None) -> Response:
    """Show where a person signs in."""
    return _door(request, world, session, "signin.html")


def _door(request: Request, world: World, session: Session | None, template: str) -> Response:
    target = shell.own_path(world.settings, request.query_params.get("next", ""))
    if session is not None:
        return shell.redirect(world.settings, target.removeprefix(world.settings.path))
    return shell.render(request, None, template, target=target)


async def begin_sign_up(request: Request, value: dict[str, Json]) -> Response:
    """Start an account."""
    world = http.world_of(request)
    world.limits.stranger("sign up", http.caller(request), _SIGN_UPS, world.now())
    return http.answer(await accounts.begin_sign_up(world, value.get("name")))


async def finish_sign_up(request: Request, value: dict[str, Json]) -> Response:
    """Make the account, and sign its person in."""
    world = http.world_of(request)
    return _welcome(world, await accounts.sign_up(world, value.get("gesture"), value.get("credential")))


async def begin_sign_in(request: Request, _: dict[str, Json]) -> Response:
    """Start to sign in."""
    world = http.world_of(request)
    world.limits.stranger("sign in", http.caller(request), _SIGN_INS, world.now())
    return http.answer(await accounts.begin_sign_in(world))


async def finish_sign_in(request: Request, value: dict[str, Json]) -> Response:
    """Sign in."""
    world = http.world_of(request)
    return _welcome(world, await accounts.sign_in(world, value.get("gesture"), value.get("credential")))


def _welcome(world: World, token: str) -> Response:
    response = http.answer({})
    shell.set_cookie(response, world.settings, token)
    return response


async def sign_out(_: Request, world: World, session: Session) -> Response:
    """Sign out."""
    await sessions.end(world, session)
    response = shell.redirect(world.settings, "/signin")
    shell.set_cookie(response, world.settings, "")
    return response


async def passkeys_page(request: Request, world: World, session: Session) -> Response:
    """Show the passkeys, and which linked service does not know which."""
    rows, links = await passkeys.rows(world, session.account), await linking.linked(world, session.account)
    for row in rows:
        row["unknown_to"] = [link["name"] for link in links if row["id"] in _ids(link["missing"])]
        row["only_at"] = [link["name"] for link in links if _ids(link["pinned"]) == {row["id"]}]
    return shell.render(request, session, "passkeys.html", passkeys=rows)


def _ids(rows: list[Row]) -> set[str]:
    return {row["id"] for row in rows}


async def begin_add(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Start to add a passkey."""
    return await rekeying.begin_add(world, session, value.get("name"))


async def created(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Take the passkey that a device has made, for another to vouch for."""
    return await rekeying.created(world, session, value.get("gesture"), value.get("credential"))


async def finish_add(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Add the passkey that was vouched for."""
    await rekeying.add(world, session, value.get("gesture"), value.get("credential"))
    return {}


async def begin_remove(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Start to remove a passkey."""
    return await rekeying.begin_remove(world, session, value.get("id"))


async def finish_remove(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Remove a passkey, here and at every linked service that can be reached."""
    await rekeying.remove(world, session, value.get("gesture"), value.get("credential"))
    return {"not_reached": await linking.tell_removals(world, session)}
