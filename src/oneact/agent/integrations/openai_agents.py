"""For the OpenAI Agents SDK: a service's actions as tools, whose approvals can end a run and be gone on with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agents import FunctionTool
from agents.tool_context import ToolContext
from pydantic_core import to_jsonable_python

from oneact.agent.errors import AgentError, Undecided, as_refused
from oneact.agent.integrations import local
from oneact.agent.integrations.local import Call
from oneact.agent.integrations.telling import told
from oneact.agent.integrations.tools import distinct, wish
from oneact.protocol import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agents import RunContextWrapper

    from oneact.agent.agent import Agent
    from oneact.agent.integrations.tools import Tool


def tools(of: Iterable[Tool], *, interrupts: bool = False, run: str = "") -> list[FunctionTool]:
    """Make function tools of tools that `agent.tools` has made.

    With `interrupts` a call that the person has not decided needs approval in the SDK's sense: the run ends, its state
    can be kept as JSON, and `state.approve(…)` says no more than that the run goes on; in whatever process it does, the
    call goes on with the same request, and waits for the person. `run` names the conversation, for a model whose call
    identifiers are unique only within one.
    """
    return [_made(each, run, interrupts=interrupts) for each in distinct(of)]


def _made(tool: Tool, run: str, *, interrupts: bool) -> FunctionTool:
    key = _keys(run, interrupts=interrupts)

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


def approved(agent: Agent, tool: FunctionTool, *, interrupts: bool = False, run: str = "") -> FunctionTool:
    """Give a function tool of one's own as one whose calls a person approves; `interrupts` and `run` are as in `tools`.

    Checked inside the agent. What runs are the arguments that were approved, the schema's defaults filled in.
    """
    key = _keys(run, interrupts=interrupts)

    async def call(context: ToolContext[Any], arguments: dict[str, Any], **how: Any) -> Any:  # noqa: ANN401 - the author's own
        async def invoke(given: dict[str, Any]) -> Any:  # noqa: ANN401 - as above
            return await tool.on_invoke_tool(context, json.dumps(given))

        made = Call(
            tool.name, tool.params_json_schema, arguments, invoke, f"Use the tool {tool.name}",
            encode=to_jsonable_python,
        )  # fmt: skip
        return await agent.functions().call(made, **how)

    async def invoke(context: ToolContext[Any], text: str) -> Any:  # noqa: ANN401 - as above
        try:
            return await call(context, local.arguments(text or "{}"), key=key(context.tool_call_id))
        except AgentError as error:
            return told(error).text

    async def undecided(context: RunContextWrapper[Any], arguments: dict[str, Any], identifier: str) -> bool:
        made = ToolContext(context.context, context.usage, tool.name, identifier, json.dumps(arguments))
        try:
            await call(made, arguments, key=key(identifier), keep=True, wait=0)
        except Undecided:
            return True
        except AgentError as error:
            told(error)
        return False

    return FunctionTool(
        name=tool.name,
        description=tool.description,
        params_json_schema=tool.params_json_schema,
        on_invoke_tool=invoke,
        strict_json_schema=tool.strict_json_schema,
        is_enabled=tool.is_enabled,
        tool_input_guardrails=tool.tool_input_guardrails,
        tool_output_guardrails=tool.tool_output_guardrails,
        needs_approval=undecided if interrupts else False,
    )


def _keys(run: str, *, interrupts: bool) -> Callable[[str], str]:
    """Give what names a call: needed only where one is gone on with."""
    return lambda call: wish("openai-agents", run, call) if interrupts or run else ""


def _arguments(text: str) -> dict[str, Any]:
    """Read what the model has sent as strictly as the service would; raises `Refused`."""
    with as_refused():
        found = canonical.parse(text.encode() or b"{}")
    return found if isinstance(found, dict) else {"arguments": found}
