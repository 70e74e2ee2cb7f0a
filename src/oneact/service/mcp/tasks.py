"""Tasks of revision 2025-11-25 at a guarded server: declared, made by `tools/call`, got, waited for, cancelled.

The libraries have no tasks of that revision, so this stands around all that they do. Tools that need an approval can be
called as tasks, others cannot; in other revisions `task` says nothing, and is ignored.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, METHOD_NOT_FOUND
from pydantic import BaseModel

from oneact.errors import Reason, Refusal
from oneact.service.mcp import answers
from oneact.service.mcp.incoming import call_of
from oneact.service.mcp.tasking import Making, making

if TYPE_CHECKING:
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

    from oneact.service.mcp.answers import Result
    from oneact.service.mcp.guard import Guard

    Context = ServerRequestContext[Any, Any]

REVISION: Final = "2025-11-25"
_DECLARED: Final[dict[str, Any]] = {"cancel": {}, "requests": {"tools": {"call": {}}}}


class Tasks:
    """A middleware around all messages of a server."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def __call__(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Answer what is about tasks, and pass on everything else."""
        if ctx.request_id is not None and ctx.method == "initialize":
            return _declared(_json(await call_next(ctx)))
        if ctx.request_id is None or ctx.protocol_version != REVISION:
            return await call_next(ctx)
        params = dict(ctx.params or {})
        if ctx.method == "tools/list":
            return await self._listed(_json(await call_next(ctx)))
        if ctx.method == "tools/call" and isinstance(params.get("task"), dict):
            return await self._made(ctx, params, call_next)
        if ctx.method in {"tasks/get", "tasks/result", "tasks/cancel"}:
            return await self._asked(ctx, params)
        return await call_next(ctx)

    async def _made(self, ctx: Context, params: dict[str, Any], call_next: CallNext) -> Result:
        """Hold a call and give its task; what is to be said against it is an error, for no task was made."""
        name = params.get("name")
        if not isinstance(name, str) or not await self._guard.needs_approval(name) or self._guard.is_denied(name):
            raise MCPError(METHOD_NOT_FOUND, "This tool cannot be called as a task")
        made = Making(name)
        token = making.set(made)
        try:
            result = _json(await call_next(replace(ctx, params={k: v for k, v in params.items() if k != "task"})))
        finally:
            making.reset(token)
        if made.found is None:
            raise MCPError(INVALID_PARAMS, answers.text_of(result), result.get("_meta"))
        call = call_of(ctx, name, {}, _never)
        return {"task": self._guard.waiting.tasks.told(made.found, call, self._guard.now())}

    async def _asked(self, ctx: Context, params: dict[str, Any]) -> Result:
        tasks = self._guard.waiting.tasks
        does = {"tasks/get": tasks.get, "tasks/result": tasks.result, "tasks/cancel": tasks.cancel}[ctx.method]
        try:
            await self._guard.start()
            return await does(call_of(ctx, "", params, _never), self._guard.now())
        except Refusal as refusal:
            known = refusal.reason is not Reason.HELD_UNKNOWN
            said = refusal.reason.says if known else "This program has no such task, or none any more."
            raise MCPError(INVALID_PARAMS, said, dict(refusal.body())) from refusal

    async def _listed(self, result: Result) -> Result:
        """Say of each tool that needs an approval that it can be called as a task."""
        tools = [
            {**tool, "execution": {"taskSupport": "optional"}}
            if tool.get("name") != answers.WAIT and await self._guard.needs_approval(str(tool.get("name")))
            else tool
            for tool in result.get("tools", [])
        ]
        return {**result, "tools": tools}


def _declared(result: Result) -> Result:
    if result.get("protocolVersion") != REVISION:
        return result
    return {**result, "capabilities": {**result.get("capabilities", {}), "tasks": _DECLARED}}


def _json(result: HandlerResult) -> Result:
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json", by_alias=True, exclude_none=True)
    return dict(result or {})


async def _never(_: dict[str, Any]) -> dict[str, Any]:
    raise NotImplementedError
