"""Calls that a client makes as tasks (2025-11-25), of tools that need an approval, on a server that has tasks.

The client gets a task of the proxy's at once. Once its person has approved it, the server is called as it was asked to
be, with `task`; from then on the server's task answers under the proxy's id, in both directions.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Reason, Refusal
from oneact.gateway.mcp.messages import (
    ENDED,
    INVALID_PARAMS,
    Lost,
    Message,
    failure,
    is_response,
    key,
    meta_of,
    params_of,
    response,
)
from oneact.service.mcp import answers
from oneact.service.store.holding import KEPT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oneact.gateway.mcp.approving import Approving, Asking
    from oneact.gateway.mcp.proxy import Proxy
    from oneact.gateway.mcp.upstream import Upstream
    from oneact.service.behalf.standing import Standing

_SINCE: Final = "2025-11-25"
_METHODS: Final = frozenset({"tasks/get", "tasks/result", "tasks/cancel"})
_RELATED: Final = "io.modelcontextprotocol/related-task"
_STEP: Final = 1.0
_POLL: Final = 2000  # milliseconds
_MOST: Final = 1000


@dataclass(slots=True)
class _Task:
    """A task: its held call, and the server's own identifier of it once the server was called."""

    held: str
    theirs: str = ""
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def cancelled(self) -> bool:
        """Tell whether the client has cancelled it before the server was called."""
        return self.stopped.is_set()


class Tasks:
    """The tasks of one client; `approving` holds their calls, `send` leads to the client."""

    def __init__(
        self,
        proxy: Proxy,
        session: str,
        upstream: Upstream,
        approving: Approving,
        send: Callable[[Message], Awaitable[bool]],
    ) -> None:
        self._proxy, self._session, self._upstream = proxy, session, upstream
        self._approving, self._send = approving, send
        self._declared = False
        self._tasks: dict[str, _Task] = {}
        self._ours: dict[str, str] = {}  # tasks by the server's own identifiers
        self._passed: dict[str, tuple[str, Message]] = {}  # what was asked of the server's task, and what to add to it

    def greeted(self, result: Message) -> None:
        """Take note whether the server lets tools be called as tasks."""
        found: Any = result.get("capabilities")
        for name in ("tasks", "requests", "tools", "call"):
            found = found.get(name) if isinstance(found, dict) else None
        self._declared = isinstance(found, dict)

    def makes(self, asking: Asking) -> bool:
        """Tell whether a call is to be a task."""
        return self._declared and asking.revision == _SINCE and isinstance(asking.params.get("task"), dict)

    def takes(self, message: Message) -> bool:
        """Tell whether a request is about a task of the proxy's; of the server's others it knows nothing."""
        return message.get("method") in _METHODS and params_of(message).get("taskId") in self._tasks

    async def make(self, asking: Asking) -> None:
        """Hold a call and give its task; the same call again is the same task."""
        identifier = asking.message["id"]
        try:
            standing = await self._approving.begun(asking)
        except Refusal as refusal:
            result = await self._approving.refusal(refusal)
            said = failure(identifier, INVALID_PARAMS, answers.text_of(result))
            await self._send({**said, "error": {**said["error"], "data": result.get("_meta")}})
            return
        task = self._tasks.get(standing.id)
        if standing.state == "held" and (task is None or task.cancelled):
            self._proxy.calls.keep(standing.id)  # another call that goes does not withdraw it
            task = None
        self._tasks[standing.id] = task or _Task(standing.id)
        while len(self._tasks) > _MOST:
            self._tasks.pop(next(iter(self._tasks)))
        if standing.state == "held" and self._proxy.show(standing.id, standing.page, asking.tool):
            await self._proxy.open(standing.page)
        await self._send(response(identifier, {"task": self._told(standing)}))

    async def answer(self, message: Message) -> None:
        """Answer a request about a task: until the server was called it is the proxy's, then the server's."""
        task, method = self._tasks[str(params_of(message)["taskId"])], message["method"]
        standing = await self._proxy.calls.look(task.held, self._session)
        if method == "tasks/cancel" and standing.state == "held" and not task.cancelled:
            await self._withdraw(task)
        if method == "tasks/result" and standing.state == "held":
            standing = await self._ended(task)
        result = answers.of_standing(standing)
        theirs = result.get("task", {}).get("taskId") if standing.state == "done" and not task.cancelled else None
        if isinstance(theirs, str):
            task.theirs = theirs
            self._ours[theirs] = task.held
            await self._pass(message, task, result.get("_meta", {}))
        elif method == "tasks/result":
            told = (
                answers.error("The task was cancelled. Nothing was done.", Reason.CANCELLED)
                if task.cancelled
                else result
            )
            related = {**told.get("_meta", {}), _RELATED: {"taskId": task.held}}
            await self._send(response(message["id"], {**told, "_meta": related}))
            await self._delivered(task)
        elif method == "tasks/cancel" and not (task.cancelled and standing.state == "held"):
            await self._send(failure(message["id"], INVALID_PARAMS, "The task has ended."))
        else:
            await self._send(response(message["id"], self._told(standing)))

    def from_server(self, message: Message) -> Message:
        """Give a message of the server's with the proxy's identifiers of its tasks."""
        if not is_response(message):
            return (
                {**message, "params": self._renamed(params_of(message))} if self._names(params_of(message)) else message
            )
        asked = self._passed.pop(key(message.get("id")), None)
        result = message.get("result")
        if asked is None or not isinstance(result, dict):
            return message
        renamed = self._renamed(result)
        meta = {**asked[1], **renamed.get("_meta", {})} if asked[0] == "tasks/result" else renamed.get("_meta")
        return {**message, "result": {**renamed, "_meta": meta} if meta else renamed}

    async def _pass(self, message: Message, task: _Task, meta: Message) -> None:
        self._passed[key(message["id"])] = (message["method"], meta)
        params = {**params_of(message), "taskId": task.theirs}
        try:
            await self._upstream.pass_on({**message, "params": params})
            if message["method"] == "tasks/result":
                await self._delivered(task)
        except Lost as lost:
            self._passed.pop(key(message["id"]), None)
            await self._send(failure(message["id"], ENDED, f"The server behind the proxy is not there: {lost}."))

    async def _ended(self, task: _Task) -> Standing:
        """Wait until a call has its end, or its task is cancelled."""
        either = {
            asyncio.ensure_future(self._proxy.calls.over(task.held)), asyncio.ensure_future(task.stopped.wait()),
        }  # fmt: skip
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for found in either:
                found.cancel()
        return await self._proxy.calls.look(task.held, self._session)

    async def _withdraw(self, task: _Task) -> None:
        task.stopped.set()
        self._proxy.calls.leave_to_others(task.held)
        with contextlib.suppress(Refusal, TimeoutError):
            if await self._proxy.calls.cancel(task.held, self._session, 0.0):
                await asyncio.wait_for(self._proxy.calls.over(task.held), _STEP)
                await self._delivered(task)

    async def _delivered(self, task: _Task) -> None:
        """Take note that the client has the end of a call: the same call again is another one."""
        with contextlib.suppress(Refusal):
            await self._proxy.calls.delivered(task.held, self._session)

    def _told(self, standing: Standing) -> Message:
        """Give the task of a call that the server knows nothing of."""
        task, status = self._tasks[standing.id], "working" if standing.state == "held" else "failed"
        said = "A person's approval is waited for."
        if standing.state == "held" and standing.page:
            said = f"{said} They decide on this page: {standing.page}"
        if task.cancelled:
            status, said = "cancelled", "Nothing was done for it."
        elif standing.state != "held":
            result = answers.of_standing(standing)
            status = "failed" if result.get("isError") else "completed"
            said = answers.text_of(result) if result.get("isError") else "Approved and done."
        created = datetime.fromtimestamp(standing.created, UTC).isoformat()
        ttl = (standing.expires - standing.created + KEPT) * 1000
        return {
            "taskId": standing.id, "status": status, "statusMessage": said, "createdAt": created,
            "lastUpdatedAt": created, "ttl": ttl, "pollInterval": _POLL,
        }  # fmt: skip

    def _names(self, params: Message) -> bool:
        related = meta_of({"params": params}).get(_RELATED)
        named = related.get("taskId") if isinstance(related, dict) else None
        return any(isinstance(found, str) and found in self._ours for found in (params.get("taskId"), named))

    def _renamed(self, params: Message) -> Message:
        """Give parameters, or a result, with the proxy's identifier in place of the server's."""
        found = dict(params)
        if isinstance(found.get("taskId"), str):
            found["taskId"] = self._ours.get(found["taskId"], found["taskId"])
        meta = found.get("_meta")
        related = meta.get(_RELATED) if isinstance(meta, dict) else None
        if isinstance(meta, dict) and isinstance(related, dict) and isinstance(related.get("taskId"), str):
            named = self._ours.get(related["taskId"], related["taskId"])
            found["_meta"] = {**meta, _RELATED: {**related, "taskId": named}}
        return found
