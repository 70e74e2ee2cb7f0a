"""The approval server as one ASGI application, by itself or mounted in another."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware

from oneact.errors import Refusal
from oneact.server import ending, http, oauth, pages, reconciling, starting
from oneact.server.around import Around
from oneact.server.beside import Beside
from oneact.server.tlog import routes as log_routes
from oneact.server.tlog import sending, sequencer
from oneact.server.world import now, open_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from oneact.server.hosting import Host
    from oneact.server.settings import Settings


def create_app(settings: Settings, *, clock: Callable[[], int] = now, host: Host | None = None) -> Starlette:
    """Make the application; its lifespan opens the store and sweeps expired requests.

    With a `host`, or one beside it by `settings.for_service`, the server is for that one service, whose accounts are
    the persons: it has neither sign-up nor sign-in of its own, and no service is linked by a flow.

    Mounted in another ASGI application, at its root or under the path of the public URL, that one has to run this
    one's lifespan: `async with lifespan(app):`.
    """
    if host is None and settings.for_service:
        host = Beside(settings)
    app = Starlette(
        routes=[
            *oauth.routes(settings, hosted=host is not None),
            *log_routes.routes(settings),
            *pages.routes(settings, host),
        ],
        exception_handlers={Refusal: http.on_refusal, Exception: http.on_error},
        middleware=[Middleware(Around, settings.path)],
        lifespan=lambda app: lifespan(app, settings, clock, host),
    )
    app.state.settings = settings
    return app


@contextlib.asynccontextmanager
async def lifespan(
    app: Starlette, settings: Settings, clock: Callable[[], int] = now, host: Host | None = None
) -> AsyncIterator[None]:
    """Open the server's world for the time that the application runs; refuses as `open_world` does."""
    world = await open_world(settings, clock, host)
    app.state.world = world
    await starting.record(world)
    tasks = [
        asyncio.create_task(ending.sweep_for_ever(world)),
        asyncio.create_task(sequencer.sequence_for_ever(world)),
        asyncio.create_task(sending.send_for_ever(world)),
        asyncio.create_task(reconciling.reconcile_for_ever(world)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        with contextlib.suppress(Refusal):  # what has no place yet gets it at the next start
            await sequencer.sequence_all(world)
        await world.store.close()
