"""The approval server as a process of its own, which ends soon after it is told to."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import uvicorn

from oneact.server.app import create_app

if TYPE_CHECKING:
    from types import FrameType

    from oneact.server.settings import Settings


class _Server(uvicorn.Server):
    """A server of which nobody who waits for a decision holds up the end: they are told that there is none yet."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        world = getattr(self.config.app.state, "world", None)  # type: ignore[union-attr]  # it is ours
        if world is not None:
            world.waiting.end()


def run(settings: Settings) -> None:
    """Serve until the process is told to end, by SIGINT or SIGTERM; raises SystemExit where it cannot begin."""
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
    )
    server = _Server(config)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(3)
