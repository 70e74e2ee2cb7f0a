"""For the OpenAI Agents SDK: a service's actions as tools, whose approvals can end a run and be gone on with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents import FunctionTool

from oneact.agent.errors import AgentError, Undecided, as_refused
from oneact.agent.integrations.telling import told
from oneact.agent.integrations.tools import wish
from oneact.protocol import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents import RunContextWrapper
    from agents.tool_context import ToolContext

    from oneact.agent.integrations.tools import Tool


def tools(of: Iterable[Tool], *, interrupts: bool = False, run: str = "") -> list[FunctionTool]:
    """Make function tools of tools that `agent.tools` has made.

    With `interrupts` a call that the person has not decided needs approval in the SDK's sense: the run ends, its state
    can be kept as JSON, and `state.approve(…)` says no more than that the run goes on; in whatever process it does, the
    call goes on with the same request, and waits for the person. `run` names the conversation, for a model whose call
    identifiers are unique only within one.
    """
    return [_made(each, run, interrupts=interrupts) for each in of]


def _made(tool: Tool, run: str, *, interrupts: bool) -> FunctionTool:
    def key(call: str) -> str:
        return wish("openai-agents", run, call) if interrupts or run else ""

    async def invoke(context: ToolContext[Any], text: str) -> str:
        try:
            arguments = _arguments(text)
        except AgentError as refused:
            return told(refused).text
        return (await tool.call(arguments, key=key(context.tool_call_id))).text

    async def undecided(_: RunContextWrapper[Any], arguments: dict[str, Any], call: str) -> bool:
        try:
            await tool.call(arguments, key=key(call), keep=True, wait=0)
        except Undecided:
            return True
        return False

    return FunctionTool(
        name=tool.name,
        description=tool.description,
        params_json_schema=tool.schema,
        on_invoke_tool=invoke,
        strict_json_schema=False,  # the schema is the service's own
        needs_approval=undecided if interrupts else False,
    )


def _arguments(text: str) -> dict[str, Any]:
    """Read what the model has sent as strictly as the service would; raises `Refused`."""
    with as_refused():
        found = canonical.parse(text.encode() or b"{}")
    return found if isinstance(found, dict) else {"arguments": found}
