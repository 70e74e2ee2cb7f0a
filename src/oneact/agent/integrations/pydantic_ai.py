"""For pydantic-ai: a service's actions as tools, whose approvals can end a run and be gone on with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydantic_ai
from pydantic_ai.exceptions import ApprovalRequired, ToolFailed

from oneact.agent.errors import Undecided
from oneact.agent.integrations.tools import wish

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_ai import RunContext

    from oneact.agent.integrations.tools import Tool


def tools(of: Iterable[Tool], *, interrupts: bool = False) -> list[pydantic_ai.Tool[Any]]:
    """Make tools of tools that `agent.tools` has made.

    With `interrupts` a call that the person has not decided is deferred (`DeferredToolRequests`), with `page` in its
    metadata, where they find it. A run with the same message history and the call approved in `DeferredToolResults`
    goes on with the same request, and waits for the person; their word is given at the approval server, not there.
    """
    return [_made(each, interrupts=interrupts) for each in of]


def _made(tool: Tool, *, interrupts: bool) -> pydantic_ai.Tool[Any]:
    async def call(context: RunContext[Any], **arguments: Any) -> str:  # noqa: ANN401 - the service's own
        keep = interrupts and not context.tool_call_approved
        key = wish("pydantic-ai", context.conversation_id or "", context.tool_call_id or "")
        try:
            found = await tool.call(arguments, key=key, keep=keep, wait=0 if keep else None)
        except Undecided as undecided:
            raise ApprovalRequired({"oneact": "approval", "page": undecided.page}) from undecided
        if found.failed:
            raise ToolFailed(found.text)
        return found.text

    return pydantic_ai.Tool.from_schema(call, tool.name, tool.description, tool.schema, takes_ctx=True)
