"""Pages of agents: pair one, see them, block or remove one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oneact.server import confirming, deciding, http, on_behalf, pairing
from oneact.server.pages import shell

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from oneact.protocol.canonical import Json
    from oneact.server.sessions import Session
    from oneact.server.world import World


async def pair_page(request: Request, world: World, session: Session) -> Response:
    """Show where a code is typed, and the agents that came with a code of this person."""
    waiting = await pairing.waiting_for(world, session.account)
    return shell.render(request, session, "pair.html", agents=waiting, code=None, typed=False)


async def find(request: Request, world: World, session: Session) -> Response:
    """Show the agent whose code was typed."""
    form = await http.form(request)
    row = await pairing.by_user_code(world, session.account, form.get("user_code", ""))
    return shell.render(request, session, "pair.html", agents=[row], code=None, typed=True)


async def new_code(request: Request, world: World, session: Session) -> Response:
    """Make a code to be given to an agent, and show it once."""
    code = await pairing.new_pairing_code(world, session.account)
    return shell.render(request, session, "pair.html", agents=[], code=code, typed=False)


async def deny(request: Request, world: World, session: Session) -> Response:
    """Refuse to pair with an agent."""
    form = await http.form(request)
    await pairing.deny(world, session.account, form.get("device", ""))
    return shell.redirect(world.settings, "/pair")


async def begin(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Start to confirm a pairing."""
    return await confirming.begin(world, session, value.get("device"), value.get("name"))


async def finish(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Confirm a pairing."""
    await confirming.confirm(world, session, value.get("gesture"), value.get("credential"))
    return {}


async def agents_page(request: Request, world: World, session: Session) -> Response:
    """Show the paired agents."""
    return shell.render(request, session, "agents.html", agents=await deciding.agents(world, session))


async def block(request: Request, world: World, session: Session) -> Response:
    """Block an agent."""
    await deciding.block_agent(world, session, request.path_params["id"])
    return shell.redirect(world.settings, "/agents")


async def allow(request: Request, world: World, session: Session) -> Response:
    """Let a service ask again in place of programs without a key."""
    await on_behalf.allow_again(world, session.account, request.path_params["id"])
    return shell.redirect(world.settings, "/agents")


async def remove(request: Request, world: World, session: Session) -> Response:
    """Remove an agent."""
    await deciding.remove_agent(world, session, request.path_params["id"])
    return shell.redirect(world.settings, "/agents")
