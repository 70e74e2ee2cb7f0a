"""For pydantic-ai: a service's actions as tools, whose approvals can end a run and be gone on with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pydantic_ai
from pydantic_ai.exceptions import ApprovalRequired, ToolFailed
from pydantic_ai.toolsets import WrapperToolset
from pydantic_core import to_jsonable_python

from oneact.agent.errors import AgentError, Undecided
from oneact.agent.integrations.local import Call, as_shown, check_same, is_same
from oneact.agent.integrations.telling import told
from oneact.agent.integrations.tools import distinct, wish

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pydantic_ai import RunContext
    from pydantic_ai.toolsets import ToolsetTool

    from oneact.agent.agent import Agent
    from oneact.agent.integrations.tools import Tool


def tools(of: Iterable[Tool], *, interrupts: bool = False) -> list[pydantic_ai.Tool[Any]]:
    """Make tools of tools that `agent.tools` has made.

    With `interrupts` a call that the person has not decided is deferred (`DeferredToolRequests`), with `page` in its
    metadata, where they find it. A run with the same message history and the call approved in `DeferredToolResults`
    goes on with the same request, and waits for the person; their word is given at the approval server, not there.
    """
    return [_made(each, interrupts=interrupts) for each in distinct(of)]


@dataclass
class Approving(WrapperToolset[Any]):
    """Has calls of an agent's own tools approved, all but those named in `allowed`.

    Checked inside the agent. What runs are the arguments that were approved, as the tool itself has validated them.
    `interrupts` are as in `tools`, `reason` and `wait` as in `agent.act`.
    """

    agent: Agent
    allowed: Collection[str] = ()
    interrupts: bool = False
    reason: str = ""
    wait: int = 600

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[Any], tool: ToolsetTool[Any]
    ) -> Any:  # noqa: ANN401 - the author's own
        """Have one call approved, then run it; a no is told to the model, an outage raises."""
        if name in self.allowed:
            return await self.wrapped.call_tool(name, tool_args, ctx, tool)

        def made(arguments: dict[str, Any]) -> dict[str, Any]:
            found: dict[str, Any] = tool.args_validator.validate_python(arguments, context=ctx.validation_context)
            return found

        async def run(approved: dict[str, Any]) -> Any:  # noqa: ANN401 - as above
            return await self.wrapped.call_tool(name, made(approved), ctx, tool)

        keep = self.interrupts and not ctx.tool_call_approved
        try:
            shown = as_shown(to_jsonable_python(tool_args), lambda given: to_jsonable_python(made(given)))
            check_same(tool_args, lambda: made(shown))
            call = Call(
                name, tool.tool_def.parameters_json_schema, shown, run, f"Use the tool {name}",
                still=lambda: is_same(to_jsonable_python(tool_args), shown),
                encode=to_jsonable_python,
            )  # fmt: skip
            return await self.agent.functions().call(
                call, reason=self.reason, key=_key(ctx), keep=keep, wait=0 if keep else self.wait
            )
        except Undecided as undecided:
            raise ApprovalRequired({"oneact": "approval", "page": undecided.page}) from undecided
        except AgentError as error:
            raise ToolFailed(told(error).text) from error


def _key(context: RunContext[Any]) -> str:
    """Name one call of one conversation, so that a run that is resumed never asks anew."""
    return wish("pydantic-ai", context.conversation_id or "", context.tool_call_id or "")


def _made(tool: Tool, *, interrupts: bool) -> pydantic_ai.Tool[Any]:
    async def call(context: RunContext[Any], **arguments: Any) -> str:  # noqa: ANN401 - the service's own
        keep = interrupts and not context.tool_call_approved
        try:
            found = await tool.call(arguments, key=_key(context), keep=keep, wait=0 if keep else None)
        except Undecided as undecided:
            raise ApprovalRequired({"oneact": "approval", "page": undecided.page}) from undecided
        if found.failed:
            raise ToolFailed(found.text)
        return found.text

    return pydantic_ai.Tool.from_schema(call, tool.name, tool.description, tool.schema, takes_ctx=True)
