"""The servers of the library `mcp`: a middleware around `tools/list` and `tools/call`; translates, decides nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from oneact.protocol.tool import MEMBERS
from oneact.service.mcp import answers
from oneact.service.mcp.calling import UnknownOutcomeError
from oneact.service.mcp.entry import Listed
from oneact.service.mcp.incoming import call_of
from oneact.service.mcp.innermost import Innermost
from oneact.service.mcp.tasks import Tasks

if TYPE_CHECKING:
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp.server.mcpserver import MCPServer

    from oneact.service.mcp.answers import Result
    from oneact.service.mcp.guard import Guard


class Face:
    """One server of `mcp.server.mcpserver`, and its middleware."""

    def __init__(self, guard: Guard, server: MCPServer[Any]) -> None:
        self._guard, self._server = guard, server
        self.authorizes = server.settings.auth is not None
        lowlevel = server._lowlevel_server  # noqa: SLF001 - the list itself has to be another
        lowlevel.middleware = Innermost([Tasks(guard), *lowlevel.middleware], self)

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Pass every message on, but calls that need an approval, and what is listed."""
        if ctx.request_id is None or ctx.method not in {"tools/list", "tools/call"}:
            return await call_next(ctx)
        if ctx.method == "tools/list":
            return self._listed(_json(await call_next(ctx)))
        name, arguments = (ctx.params or {}).get("name"), (ctx.params or {}).get("arguments")
        if not isinstance(name, str) or not isinstance(arguments, dict | None):
            return await call_next(ctx)  # the library refuses it

        async def run(approved: dict[str, Any]) -> Result:
            """Go on to the tool with the approved arguments, and with nothing of what was brought for the guard."""
            left = {member: value for member, value in call.meta.items() if not member.startswith(MEMBERS)}
            params = {"name": name, "arguments": approved, "_meta": left}
            return _told(name, _json(await call_next(replace(ctx, params=params))))

        call = call_of(ctx, name, arguments or {}, run)
        answer = await self._guard.answer(call)
        if answer is None:
            return await call_next(ctx)
        return {"resultType": "complete", **answer} if call.modern else answer

    async def tools(self) -> list[Listed]:
        """Give the server's tools."""
        found = [await self.tool(listed.name) for listed in await self._server.list_tools()]
        return [listed for listed in found if listed is not None]

    async def tool(self, name: str) -> Listed | None:
        """Give one tool as it stands at this moment."""
        found = self._server._tool_manager.get_tool(name)  # noqa: SLF001 - the function is nowhere else to be had
        if found is None:
            return None
        reread = found.fn_metadata.pre_parse_json
        return Listed(name, found.title or found.description, found.parameters, found.fn, reread)

    async def direct(self, name: str, arguments: dict[str, Any]) -> Result:
        """Call a tool without a client's call."""
        return _told(name, _json(await self._server.call_tool(name, arguments)))

    def _listed(self, result: Result) -> Result:
        """Leave out what is denied, and add the tool that waits to the last page."""
        tools = [found for found in result.get("tools", []) if not self._guard.is_denied(str(found.get("name")))]
        more = [] if result.get("nextCursor") else [answers.WAIT_TOOL]
        return {**result, "tools": [*tools, *more]}


def _json(result: HandlerResult) -> Result:
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json", by_alias=True, exclude_none=True)
    return dict(result or {})


def _told(name: str, result: Result) -> Result:
    """Give a tool's result; of one that crashed nobody knows whether it had done its work."""
    content = result.get("content")
    crashed = [{"type": "text", "text": f"Error executing tool {name}"}]
    if result.get("isError") is True and content == crashed:
        raise UnknownOutcomeError(name)
    return result
