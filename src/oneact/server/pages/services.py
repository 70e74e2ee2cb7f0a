"""Pages of services: link one, see them, tell them of changed passkeys, stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from oneact.server import linking, passkeys
from oneact.server.pages import shell

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from oneact.protocol.canonical import Json
    from oneact.server.sessions import Session
    from oneact.server.world import World

_LINKS: Final = 30  # a minute, of one person


async def link_page(request: Request, world: World, session: Session) -> Response:
    """Show which service wants to be linked, which is fetched for this person, or that it is linked already."""
    world.limits.known(f"link {session.account}", _LINKS, world.now())
    query = request.query_params
    opened = await linking.opened(world, query.get("client_id"), query.get("request_uri"))
    resource = opened.service.resource
    before = await linking.before(world, session.account, resource)
    known = await passkeys.rows(world, session.account)
    return shell.render(
        request,
        session,
        "link.html",
        service=opened.service,
        request_uri=opened.id,
        before=before,
        passkeys=[row for row in known if before is None or row["id"] in before["ids"]],
        new=[row for row in known if before is not None and row["id"] not in before["ids"]],
        standing=await linking.standing(world, session.account, resource),
    )


async def begin(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Start to link."""
    return await linking.begin(world, session, value.get("client_id"), value.get("request_uri"))


async def finish(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Link; the script goes where the answer says, so that no form has to leave this origin."""
    return {"location": await linking.link(world, session, value.get("gesture"), value.get("credential"))}


async def decline(world: World, _: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Say no to linking."""
    return {"location": await linking.decline(world, value.get("client_id"), value.get("request_uri"))}


async def services_page(request: Request, world: World, session: Session) -> Response:
    """Show the linked services."""
    links = await linking.linked(world, session.account)
    not_reached = request.query_params.get("not_reached", "0")
    return shell.render(request, session, "services.html", links=links, not_reached=not_reached != "0")


async def begin_update(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Start to tell a service of changed passkeys."""
    return await linking.begin_update(world, session, value.get("link"))


async def finish_update(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Tell a service of changed passkeys."""
    await linking.update(world, session, value.get("gesture"), value.get("credential"))
    return {}


async def tell_removals(_: Request, world: World, session: Session) -> Response:
    """Tell every linked service once more which passkeys are gone."""
    failed = await linking.tell_removals(world, session)
    return shell.redirect(world.settings, f"/services?not_reached={failed}")


async def unlink(request: Request, world: World, session: Session) -> Response:
    """Take no more requests for a service."""
    await linking.unlink(world, session, request.path_params["id"])
    return shell.redirect(world.settings, "/services")
