"""The approval server of one service, in that service's process: its accounts are the persons, nothing is linked."""

from __future__ import annotations

import contextlib
import fcntl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from oneact.embedded import calling
from oneact.embedded.host import Hosting
from oneact.embedded.within import Within
from oneact.errors import Reason, Refusal
from oneact.protocol.metadata import SERVER_PATH
from oneact.server import Settings, create_app
from oneact.server.app import lifespan
from oneact.service.exchange import Answer

if TYPE_CHECKING:
    from oneact.fetch import Fetcher
    from oneact.service.approvals import SignedIn
    from oneact.service.exchange import Request
    from oneact.service.guard import GuardCore

_OWN: Final = frozenset({"public_url", "for_service", "database", "key_file", "host", "port", "private_hosts"})


class Embedded:
    """An approval server mounted under a service's own path: `Guard(issuers=Embedded("var/approve"), …)`.

    `folder` holds its database and keys. `path` is where it stands at the service, beginning with a slash. `settings`
    are those of `oneact.server.Settings` that are still open, as `checkpoints_to`. One process at a time runs it.
    Raises ValueError for a path that could not work, TypeError for a setting that is not open.
    """

    def __init__(self, folder: str | Path, *, path: str = "/approve", **settings: Any) -> None:  # noqa: ANN401 - each by its own type
        if not path.startswith("/") or path.endswith("/") or {*"?#{}<>", "//"} & {*unquote(path), path[:2]}:
            raise ValueError(f"path= {path!r} is one like /approve, without a slash at its end")
        if _OWN & settings.keys():
            raise TypeError(f"{', '.join(sorted(_OWN & settings.keys()))} follow from the guard and folder=")
        self._folder, self._path, self._more = Path(folder), path, settings
        self._below = unquote(path)
        self._host: Hosting | None = None
        self._running: contextlib.AsyncExitStack | None = None

    @property
    def issuer(self) -> str:
        """Give the issuer identifier."""
        return self._attached.resource + self._path

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Give the paths at the service, decoded: its own, and its metadata document (RFC 8414 section 3.1)."""
        return self._below, self._below + "/", SERVER_PATH + unquote(urlsplit(self.issuer).path)

    def attach(self, guard: GuardCore) -> Fetcher:
        """Take the guard that it approves for; raises ValueError for the second one, or a name without passkeys."""
        if self._host is not None:
            raise ValueError("an Embedded belongs to one guard")
        self._host = Hosting(guard)
        try:
            settings = Settings(
                public_url=self.issuer,
                for_service=guard.resource,
                database=self._folder / "approve.db",
                key_file=self._folder / "approve.jwk",
                private_hosts=tuple(guard.private_hosts),
                **self._more,
            )
        except Refusal as refusal:
            raise ValueError(f"resource= and the settings of Embedded: {refusal.detail}") from refusal
        self._settings, self._app = settings, create_app(settings, clock=guard.now, host=self._host)
        return Within(guard.fetcher, self._host.resource, self._asked)

    async def start(self) -> None:
        """Open the store, where it is not; refuses `store_unavailable` where another process runs this server."""
        if self._running is not None:
            return
        async with contextlib.AsyncExitStack() as opened:
            opened.enter_context(_alone(self._folder))
            app, host = self._app, self._attached
            await opened.enter_async_context(lifespan(app, self._settings, host.now, host))
            self._running = opened.pop_all()

    async def stop(self) -> None:
        """Let go of the store."""
        running, self._running = self._running, None
        if running is not None:
            await running.aclose()

    def answers(self, path: str) -> bool:
        """Tell whether a path, within the service and as it was sent, is one of its own (RFC 3986 section 6.2.2)."""
        found = unquote(path)
        return found.startswith(self._below + "/") or found in self.prefixes

    async def answer(self, request: Request, signed_in: SignedIn) -> Answer:
        """Answer a request to one of its paths; `signed_in` tells, where it is asked, which account made it."""
        if unquote(request.path) == self._below:
            return Answer(303, headers=(("Location", self.issuer + "/"),))
        at = self._settings.origin if request.path.startswith(SERVER_PATH) else self._attached.resource
        return await calling.call(self._app, request, at + request.path, signed_in)

    @property
    def _attached(self) -> Hosting:
        if self._host is None:
            raise ValueError("give the Embedded to a guard first, as its issuers=")
        return self._host

    async def _asked(self, request: Request) -> Answer | None:
        """Answer what the service, or the server itself, asks at an address of this process; None for another."""
        if self.answers(request.path):
            return await self.answer(request, _nobody)
        return await self._attached.answer(request)


async def _nobody() -> None:
    """Tell that a request of the process itself is nobody's."""


@contextlib.contextmanager
def _alone(folder: Path) -> Any:  # noqa: ANN401 - a generator that is a context
    """Hold the folder for this process; what another process has written meanwhile, this server would not know."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "approve.lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refusal(
                Reason.STORE_UNAVAILABLE,
                f"another process runs the approval server in {folder}: serve the application from one process, with "
                "threads, or run `oneact serve --for` beside it",
            ) from error
        yield
