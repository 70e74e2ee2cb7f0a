"""A handler's own spend: which act is under way where `guard.spend` is called, and that it still may be spent."""

from __future__ import annotations

import contextvars
import secrets
from typing import TYPE_CHECKING, Any, Final

from oneact.service.store import owner

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oneact.service.exchange import Answer
    from oneact.service.store.contract import Spend


class UnderWay:
    """One run of a handler that spends; `run` names it, so that its own row is told from that of another run.

    `called` tells whether it has come to `guard.spend`, whatever came of that.
    """

    def __init__(self, spend: Spend, now: Callable[[], int]) -> None:
        self.spend = spend
        self.run = secrets.token_urlsafe(16)
        self.called = False
        self._now = now
        self._ended = False

    async def perform(self, handler: Callable[[], Awaitable[Answer]]) -> Answer:
        """Run the handler, in a task of its own, as the act that `current` gives there and in its threads."""
        _CURRENT.set(self)
        try:
            return await handler()
        finally:
            self._ended = True

    def write(self, session: Any) -> None:  # noqa: ANN401 - the owner's own
        """Write the spend in the transaction of `session`.

        Raises RuntimeError outside of a transaction and after the handler has ended, TimeoutError past the deadline.
        Refuses `already_spent` where the act was executed before or by a run beside this one.
        """
        if self._ended:
            raise RuntimeError("guard.spend was called after the handler had ended")
        if self._now() > self.spend.deadline_at:
            raise TimeoutError("the handler's deadline passed before it called guard.spend")
        self.called = True
        owner.write(session, self.spend, self.run)


_CURRENT: Final[contextvars.ContextVar[UnderWay | None]] = contextvars.ContextVar("oneact_under_way", default=None)


def carried(function: Callable[[], Any]) -> Callable[[], Any]:
    """Give a function that runs as the act under way here, in whatever thread it is called."""
    found = _CURRENT.get()
    if found is None:
        return function

    def within() -> Any:  # noqa: ANN401 - the owner's own
        token = _CURRENT.set(found)
        try:
            return function()
        finally:
            _CURRENT.reset(token)

    return within


def current() -> UnderWay:
    """Give the act whose handler runs here; raises RuntimeError elsewhere."""
    found = _CURRENT.get()
    if found is None:
        raise RuntimeError("guard.spend is called in the handler of an action with spends=True; elsewhere give its act")
    return found
