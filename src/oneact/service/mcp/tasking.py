"""Held calls as tasks (MCP 2025-11-25): a call that is made as one is answered at once, and asked after by its id.

The task is the held call and has its id: the same call again is the same task, and nobody is asked twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import receipt
from oneact.service.mcp import answers
from oneact.service.store.holding import KEPT

if TYPE_CHECKING:
    from oneact.service.behalf.standing import Standing
    from oneact.service.mcp.answers import Result
    from oneact.service.mcp.calling import Call
    from oneact.service.mcp.waiting import Waiting

RELATED: Final = "io.modelcontextprotocol/related-task"
POLL: Final = 2000  # milliseconds after which to ask again
_TRIES: Final = 5
_STEP: Final = 0.05  # seconds
_WITHDRAWN: Final = 1.0  # seconds for which cancelling waits until the person is asked no more
_WAITS: Final = "A person's approval is waited for."


@dataclass(slots=True)
class Making:
    """A call that its client makes as a task: `found` is the call that is held for it, once there is one."""

    tool: str
    found: Standing | None = None


@dataclass(slots=True)
class _Task:
    """A task of this process; it counts as one that waits for its call, so that no other's going withdraws it."""

    expires: int
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)


making: Final[ContextVar[Making | None]] = ContextVar("oneact_making", default=None)


class Tasking:
    """The tasks of one guard's tools; each is its session's, and to any other `held_unknown`."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting, self._calls = waiting, waiting.calls
        self._tasks: dict[str, _Task] = {}

    def keep(self, standing: Standing, now: int) -> None:
        """Take a held call for a task."""
        self._tasks = {name: task for name, task in self._tasks.items() if task.expires > now - KEPT}
        task = self._tasks.get(standing.id)
        if task is not None and not task.cancelled.is_set():
            return
        if standing.state == "held":
            self._tasks[standing.id] = _Task(standing.expires)
            self._calls.keep(standing.id)

    async def get(self, call: Call, now: int) -> Result:
        """Tell where the task stands that a request names; refuses `held_unknown`."""
        identifier, session = await self._named(call)
        return self.told(await self._standing(identifier, session), call, now)

    async def result(self, call: Call, now: int) -> Result:
        """Wait for the end of a task, having its page opened where the client can, and give the result of its call."""
        identifier, session = await self._named(call)
        standing = await self._standing(identifier, session)
        if standing.state == "held" and identifier not in self._tasks:
            self.keep(standing, now)
        began, task = time.monotonic(), self._tasks.get(identifier)
        if task is not None and standing.state == "held" and not _is_cancelled(task):
            waiting = asyncio.ensure_future(self._waiting.ended(standing, session, call))
            stopping = asyncio.ensure_future(task.cancelled.wait())
            try:
                await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
                ended = waiting.result() if waiting.done() else standing
                if ended is None:
                    await self._withdraw(identifier, session)
            finally:
                waiting.cancel()
                stopping.cancel()
            standing = ended or standing
        if _is_cancelled(self._tasks.get(identifier)):
            told = answers.error("The task was cancelled. Nothing was done for it.", Reason.CANCELLED)
        else:
            told = await self._waiting.told(standing, identifier, session, call, began)
        return {**told, "_meta": {**told.get("_meta", {}), RELATED: {"taskId": identifier}}}

    async def cancel(self, call: Call, now: int) -> Result:
        """Withdraw a task, for itself alone where another call waits for the same; refuses `not_pending` at its end."""
        identifier, session = await self._named(call)
        standing = await self._standing(identifier, session)
        if standing.state != "held" or _is_cancelled(self._tasks.get(identifier)):
            raise Refusal(Reason.NOT_PENDING, identifier)
        if identifier not in self._tasks:
            self.keep(standing, now)
        await self._withdraw(identifier, session)
        return self.told(standing, call, now)

    def told(self, standing: Standing, call: Call, now: int) -> Result:
        """Give the task that a held call is."""
        status, message = self._status(standing, call)
        created = datetime.fromtimestamp(standing.created, UTC).isoformat()
        changed = created if standing.state == "held" else datetime.fromtimestamp(now, UTC).isoformat()
        return {
            "taskId": standing.id, "status": status, "statusMessage": message, "createdAt": created,
            "lastUpdatedAt": changed, "ttl": (standing.expires - standing.created + KEPT) * 1000, "pollInterval": POLL,
        }  # fmt: skip

    def _status(self, standing: Standing, call: Call) -> tuple[str, str]:
        if _is_cancelled(self._tasks.get(standing.id)):
            return "cancelled", "Nothing was done for it."
        if standing.state == "held":
            waits = f"{_WAITS} They decide on this page: {standing.page}" if standing.page else _WAITS
            return ("input_required" if self._waiting.may_open(standing, call) else "working"), waits
        if standing.state == "done":
            return ("completed", "Approved and done.") if _is_executed(standing) else ("failed", "It has failed.")
        return "failed", answers.text_of(answers.of_standing(standing))

    async def _named(self, call: Call) -> tuple[str, str]:
        identifier, session = call.arguments.get("taskId"), await self._waiting.session(call)
        if not isinstance(identifier, str) or session is None:
            raise Refusal(Reason.HELD_UNKNOWN, "no text, or nobody is signed in")
        return identifier, session[1]

    async def _standing(self, identifier: str, session: str) -> Standing:
        """Give where a task stands; one of a process before this is followed from now on."""
        if identifier in self._tasks:
            return await self._calls.look(identifier, session)
        return await self._calls.wait(identifier, session, 0)

    async def _withdraw(self, identifier: str, session: str) -> None:
        """Give a task up: its person is asked no more, unless another call waits for the same."""
        self._tasks[identifier].cancelled.set()
        self._calls.leave_to_others(identifier)
        for _ in range(_TRIES):
            await asyncio.sleep(_STEP)  # who waits for the result of this very task goes first
            if await self._calls.cancel(identifier, session, 0.0):
                break
        else:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._calls.over(identifier), _WITHDRAWN)
            await self._calls.delivered(identifier, session)  # the same call again is another one


def _is_cancelled(task: _Task | None) -> bool:
    return task is not None and task.cancelled.is_set()


def _is_executed(standing: Standing) -> bool:
    try:
        return receipt.parse(standing.receipt)[0].status == "executed"
    except Refusal:
        return False
