"""Pages of read sessions: those that are open, one to be decided, their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oneact.errors import Reason, Refusal
from oneact.protocol import display
from oneact.server import history, opening
from oneact.server.pages import shell

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from oneact.protocol.canonical import Json
    from oneact.server.opening import Shown
    from oneact.server.sessions import Session
    from oneact.server.world import World


async def reads_page(request: Request, world: World, session: Session) -> Response:
    """Show what is open, and what was."""
    open_, past = await opening.opened(world, session), await opening.past(world, session)
    ids = {row["id"] for row in open_}
    for row in past:
        row["says"] = _says(row["state"], open_=row["id"] in ids)
    return shell.render(request, session, "reads.html", open=open_, past=past)


async def read_page(request: Request, world: World, session: Session) -> Response:
    """Show one session, to be decided or with what became of it."""
    shown = await opening.show(world, session, request.path_params["id"])
    now = world.now()
    return shell.render(
        request,
        session,
        "read.html",
        row=shown.row,
        intent=shown.lines[0],
        reads=[(display.escape(line[1]), line[3]) for line in shown.lines[1:]],
        minutes=_minutes(shown),
        pending=shown.pending(now),
        open=shown.open(now),
        left=max(0, shown.row["expires_at"] - now),
        says=_says(shown.row["state"], open_=shown.open(now)),
        entries=await history.entries(world, shown.row["id"]),
    )


async def begin(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Make the statement that is to be signed."""
    return await opening.begin(world, session, value.get("session"))


async def approve(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Open a session."""
    await opening.approve(world, session, value.get("gesture"), value.get("credential"))
    return {}


async def deny(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Deny a session."""
    message = value.get("message", "")
    if not isinstance(message, str):
        raise Refusal(Reason.REQUEST_MALFORMED, "message")
    await opening.deny(world, session, value.get("session"), message)
    return {}


async def end(request: Request, world: World, session: Session) -> Response:
    """End a session."""
    await opening.end(world, session, request.path_params["id"])
    return shell.redirect(world.settings, "/reads")


def _minutes(shown: Shown) -> str:
    minutes, seconds = divmod(shown.wanted.duration, 60)
    return f"{minutes} min" + (f" {seconds} s" if seconds else "")


def _says(state: str, *, open_: bool) -> str:
    """Say what became of a session; what is neither open nor decided has ended by its time, or with agent or link."""
    if open_:
        return "Open"
    return {"denied": "Denied", "ended": "Ended", "opened": "Over", "pending": "Not decided"}[state]
