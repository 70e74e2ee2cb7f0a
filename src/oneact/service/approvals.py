"""An approval server in the service's own process, as the guard sees it; `oneact.embedded.Embedded` is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oneact.fetch import Fetcher
    from oneact.service.act import LocalAccount
    from oneact.service.exchange import Answer, Request
    from oneact.service.guard import GuardCore

    SignedIn = Callable[[], Awaitable[LocalAccount | None]]


class Approvals(Protocol):
    """An approval server for this service alone, whose persons are the service's accounts."""

    @property
    def issuer(self) -> str:
        """Give its issuer identifier, an address below the service's own; known once it is attached."""
        ...

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Give the paths at the service that are its own; one with a final slash stands for all below it."""
        ...

    def attach(self, guard: GuardCore) -> Fetcher:
        """Take the guard that it approves for, once; give what fetches from it without a connection."""
        ...

    async def start(self) -> None:
        """Open its store; may be called again. Refuses `store_unavailable` where another process has it open."""
        ...

    async def stop(self) -> None:
        """Let go of its store."""
        ...

    def answers(self, path: str) -> bool:
        """Tell whether a path, within the service, is one of its own."""
        ...

    async def answer(self, request: Request, signed_in: SignedIn) -> Answer:
        """Answer a request to one of its paths; `signed_in` tells, where it is asked, which account made it."""
        ...
