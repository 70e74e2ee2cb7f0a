"""The servers of the library `fastmcp`: one of its middlewares, which mounted servers and proxies run through too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mcp_types as types
from fastmcp.exceptions import FastMCPError, NotFoundError, ToolError, ValidationError
from fastmcp.server.middleware import Middleware
from fastmcp.tools.base import InputRequiredToolResult, RawStructuredToolResult, Tool, ToolResult

from oneact.errors import Reason, Refusal
from oneact.service.mcp import answers
from oneact.service.mcp.calling import UnknownOutcomeError
from oneact.service.mcp.entry import Listed
from oneact.service.mcp.incoming import call_of
from oneact.service.mcp.innermost import Innermost
from oneact.service.mcp.tasks import Tasks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from fastmcp import FastMCP
    from fastmcp.server.middleware import CallNext, MiddlewareContext

    from oneact.service.mcp.answers import Result
    from oneact.service.mcp.guard import Guard

    Context = MiddlewareContext[types.CallToolRequestParams]
    Next = CallNext[types.CallToolRequestParams, ToolResult]


class Face(Middleware):
    """One server of `fastmcp`, and its middleware."""

    def __init__(self, guard: Guard, server: FastMCP[Any]) -> None:
        self._guard, self._server = guard, server
        self.authorizes = server.auth is not None
        server.add_tool(_wait_tool())
        server.middleware = Innermost(server.middleware, self)
        server._mcp_server.middleware.insert(0, Tasks(guard))  # noqa: SLF001 - its own middleware sees no such methods

    async def on_list_tools(
        self, context: MiddlewareContext[types.ListToolsRequest], call_next: CallNext[Any, Sequence[Tool]]
    ) -> Sequence[Tool]:
        """Leave out what is denied."""
        return [found for found in await call_next(context) if not self._guard.is_denied(found.name)]

    async def on_call_tool(self, context: Context, call_next: Next) -> ToolResult:
        """Have a call answered by the guard, or pass it on where it needs no approval."""
        name, arguments = context.message.name, context.message.arguments or {}
        if self._guard.is_own(name, arguments):
            return await call_next(context)
        within = context.fastmcp_context
        request = None if within is None else within.request_context
        if request is None:
            if await self._guard.needs_approval(name):
                raise ToolError(f"{name} needs a person's approval, and nobody is there to ask for it")
            return await call_next(context)

        async def run(approved: dict[str, Any]) -> Result:
            message = context.message.model_copy(update={"arguments": approved})
            return await _told(call_next(context.copy(message=message)))

        call = call_of(request._srctx, name, arguments, run)  # noqa: SLF001 - what the library gives for this
        if _of_a_version(context.message) and await self._guard.needs_approval(name):
            return _result(answers.refused(Refusal(Reason.ACTION_UNKNOWN)))
        answer = await self._guard.answer(call)
        return await call_next(context) if answer is None else _result(answer)

    async def tools(self) -> list[Listed]:
        """Give the server's tools, each in the version that is called when none is named."""
        names = dict.fromkeys(found.name for found in await self._server.list_tools(run_middleware=False))
        found = [await self.tool(name) for name in names if name != answers.WAIT]
        return [listed for listed in found if listed is not None]

    async def tool(self, name: str) -> Listed | None:
        """Give one tool as it stands at this moment."""
        found = await self._server.get_tool(name)
        if found is None:
            return None
        return Listed(name, found.title or found.description or "", found.parameters, getattr(found, "fn", None))

    async def direct(self, name: str, arguments: dict[str, Any]) -> Result:
        """Call a tool without a client's call."""
        return await _told(self._server.call_tool(name, arguments))


def _wait_tool() -> Tool:
    said = answers.WAIT_TOOL
    return Tool(
        name=said["name"],
        title=said["title"],
        description=said["description"],
        parameters=said["inputSchema"],
        annotations=types.ToolAnnotations.model_validate(said["annotations"]),
    )


async def _told(calling: Awaitable[ToolResult]) -> Result:
    """Give a tool's result in JSON; what a tool says no with is its result, and a crash is an outcome nobody knows."""
    try:
        found = await calling
    except (ToolError, ValidationError, NotFoundError) as error:
        if error.__cause__ is not None and not isinstance(error.__cause__, FastMCPError):
            raise UnknownOutcomeError(str(error)) from error
        return {"content": [{"type": "text", "text": str(error)}], "isError": True}
    if isinstance(found, InputRequiredToolResult):
        return {"resultType": "input_required"}
    told = found.to_mcp_result()
    if isinstance(told, types.CallToolResult):
        whole = told
    elif isinstance(told, tuple):
        whole = types.CallToolResult(content=told[0], structured_content=told[1])
    else:
        whole = types.CallToolResult(content=told)
    return whole.model_dump(mode="json", by_alias=True, exclude_none=True)


def _result(told: Result) -> ToolResult:
    """Give a result in JSON as the library's own."""
    if told.get("resultType") == "input_required":
        return InputRequiredToolResult(types.InputRequiredResult.model_validate(told))
    found = types.CallToolResult.model_validate(told)
    if found.structured_content is None or isinstance(found.structured_content, dict):
        return ToolResult.from_mcp_result(found)
    return RawStructuredToolResult(found.content, found.structured_content, found.meta, found.is_error)


def _of_a_version(message: types.CallToolRequestParams) -> bool:
    """Tell whether a version of a tool is asked for that need not be the one which is published."""
    meta: Any = message.meta or {}
    mine = meta.get("fastmcp")
    return isinstance(mine, dict) and bool(mine.get("version"))
