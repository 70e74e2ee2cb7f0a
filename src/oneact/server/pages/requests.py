"""Pages of requests: the inbox, one request or batch with its decision and outcome, the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, form
from oneact.server import deciding, history, http, reconciling, refusing
from oneact.server.history import Outcome
from oneact.server.pages import looks, shell
from oneact.server.tlog import exporting, sequencer

if TYPE_CHECKING:
    from starlette.requests import Request

    from oneact.protocol.canonical import Json
    from oneact.server.deciding import Shown
    from oneact.server.pages.looks import ActView
    from oneact.server.sessions import Session
    from oneact.server.world import World
    from oneact.store.contract import Row

_LOOK_AGAIN: Final = 5  # seconds after which an open request is looked at again, for whether its agent still listens
_FAR: Final = 2**53
_DIGITS: Final = 16


async def inbox_page(request: Request, world: World, session: Session) -> Response:
    """Show what waits."""
    found = await history.inbox(world, session)
    return shell.render(request, session, "inbox.html", **found._asdict())


async def inbox_wait(request: Request, world: World, session: Session) -> Response:
    """Give what waits as soon as it changes."""
    given = request.query_params.get("version", "")
    found = await history.changed_inbox(world, session, given)
    count = len(found.batches) + len(found.reads)
    fragment = looks.render("_inbox.html", base=world.settings.path, **found._asdict())
    return http.answer(
        {"version": found.version, "count": count, "html": fragment, "says": _waiting(count, found.agents)}
    )


async def request_page(request: Request, world: World, session: Session) -> Response:
    """Show one request or a batch, to be decided or with its outcome."""
    shown = await deciding.show(world, session, request.path_params["id"])
    now, first = world.now(), shown[0]
    return shell.render(
        request,
        session,
        "request.html",
        first=first.row,
        acts=_acts(shown, now),
        open_ids=[item.id for item in shown if item.open(now)],
        left=max(0, min(item.row["expires_at"] for item in shown) - now),
        listening=_listening(world, shown),
        version=_version(world, shown),
        entries=await _entries(world, shown),
        pending=Outcome.PENDING,
    )


async def request_wait(request: Request, world: World, session: Session) -> Response:
    """Give the outcome as soon as it changes."""
    given, identifier = request.query_params.get("version", ""), request.path_params["id"]
    async with history.changing(world, session, _LOOK_AGAIN) as change:
        shown = await deciding.show(world, session, identifier)
        if _version(world, shown) == given:
            await change
            shown = await deciding.show(world, session, identifier)
    now = world.now()
    acts = _acts(shown, now)
    value = {
        "version": _version(world, shown),
        "open": [item.id for item in shown if item.open(now)],
        "listening": _listening(world, shown),
        "last": all(outcome.final for *_, outcome in acts),
        "html": looks.render("_outcome.html", acts=acts, pending=Outcome.PENDING),
        "log": looks.render("_log.html", base=world.settings.path, entries=await _entries(world, shown)),
    }
    return http.answer(value)


async def evidence(request: Request, world: World, session: Session) -> Response:
    """Give everything about one act as one file, which anyone can check without this server."""
    identifier = request.path_params["id"]
    await deciding.find(world, session.account, identifier)
    await sequencer.sequence_all(world)
    found = await exporting.export(world.store, identifier, session.account)
    named = {**http.NO_STORE, "Content-Disposition": f'attachment; filename="evidence-{identifier}.json"'}
    return Response(canonical.encode(found.members()) + b"\n", media_type="application/json", headers=named)


async def begin(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Make the statement that is to be signed."""
    return await deciding.begin(world, session, value.get("requests"))


async def approve(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Approve."""
    try:
        await deciding.approve(world, session, value.get("requests"), value.get("gesture"), value.get("credential"))
    except Refusal as refusal:
        await refusing.approved_in_vain(world, session.account, value.get("requests"), refusal)
        raise
    return {}


async def deny(world: World, session: Session, value: dict[str, Json]) -> dict[str, Any]:
    """Deny one request or several; `block` says that the person did not ask for this."""
    ids = form.texts(value.get("requests"), Reason.REQUEST_MALFORMED, 20)
    message, block = value.get("message", ""), value.get("block", False)
    if not isinstance(message, str) or not isinstance(block, bool):
        raise Refusal(Reason.REQUEST_MALFORMED, "message or block")
    for index, identifier in enumerate(ids):
        await deciding.deny(world, session, identifier, message, block=block and index == len(ids) - 1)
    return {}


async def history_page(request: Request, world: World, session: Session) -> Response:
    """Show what was approved and what was executed, side by side."""
    second, _, identifier = request.query_params.get("before", "").partition(".")
    known = second.isascii() and second.isdecimal() and len(second) < _DIGITS
    rows = await history.past(world, session, int(second) if known else _FAR, identifier)
    last = rows[-1] if len(rows) == history.PAGE else None
    older = None if last is None else f"{last['created_at']}.{last['id']}"
    findings = await reconciling.open_findings(world, session.account)
    return shell.render(request, session, "history.html", rows=rows, older=older, findings=findings)


def _waiting(requests: int, agents: int) -> str:
    """Say what waits, for someone who does not see the list change."""
    asking = f"{requests} request{'s wait' if requests > 1 else ' waits'} for you." if requests else ""
    pairing = f"{agents} agent{'s wait' if agents > 1 else ' waits'} to be paired." if agents else ""
    return f"{asking} {pairing}".strip() or "Nothing waits for you."


def _acts(shown: list[Shown], now: int) -> list[tuple[Shown, ActView, Outcome]]:
    return [(item, looks.act_view(item), history.outcome(item.row, now)) for item in shown]


async def _entries(world: World, shown: list[Shown]) -> list[tuple[Shown, list[Row]]]:
    return [(item, await history.entries(world, item.id)) for item in shown]


def _listening(world: World, shown: list[Shown]) -> bool:
    return any(world.waiting.listening(item.id, world.now()) for item in shown)


def _version(world: World, shown: list[Shown]) -> str:
    outcomes: list[Json] = [history.outcome(item.row, world.now()).name for item in shown]
    return canonical.digest([outcomes, _listening(world, shown)])
