"""For the Claude Agent SDK: a service's actions as an MCP server in its process, and calls of any tool approved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from claude_agent_sdk import (
    HookMatcher,
    PermissionResultAllow,
    PermissionResultDeny,
    SdkMcpTool,
    create_sdk_mcp_server,
)

from oneact.agent.errors import AgentError
from oneact.agent.integrations.local import Call
from oneact.agent.integrations.telling import told
from oneact.agent.integrations.tools import distinct, wish

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from claude_agent_sdk import CanUseTool, HookContext, HookInput, HookJSONOutput, McpSdkServerConfig
    from claude_agent_sdk.types import PreToolUseHookSpecificOutput, ToolPermissionContext

    from oneact.agent.agent import Agent
    from oneact.agent.integrations.tools import Tool

_SPARE: Final = 120  # seconds for what comes before and after the person's own


def server(name: str, of: Iterable[Tool]) -> McpSdkServerConfig:
    """Make an MCP server for `ClaudeAgentOptions.mcp_servers` of tools that `agent.tools` has made.

    An outage is an error result: the SDK lets no exception of a tool end a run.
    """
    return create_sdk_mcp_server(name, tools=[_made(each) for each in distinct(of)])


def _made(tool: Tool) -> SdkMcpTool[Any]:
    async def call(arguments: dict[str, Any]) -> dict[str, Any]:
        found = await tool.call(arguments)
        return {"content": [{"type": "text", "text": found.text}], "is_error": found.failed}

    return SdkMcpTool(tool.name, tool.description, tool.schema, call)


def pre_tool_use(agent: Agent, *, allowed: Collection[str] = (), reason: str = "", wait: int = 600) -> HookMatcher:
    """Make a `PreToolUse` hook that has every call of a tool approved, all but those named in `allowed`.

    A name with a `*` at its end stands for all that begin so, as `mcp__air__*` for a server of `server`. Checked inside
    the agent. An approval lets one call pass, once, with the arguments that were approved; a no is told to the model.
    What raises, as an outage does, blocks the call.
    """

    async def hook(given: HookInput, _: str | None, __: HookContext) -> HookJSONOutput:
        if given["hook_event_name"] != "PreToolUse":
            raise TypeError("this is a hook for PreToolUse")
        if _is_among(given["tool_name"], allowed):
            return {}
        key = wish("claude", given["session_id"], given["tool_use_id"])
        found, why = await _permitted(agent, given["tool_name"], given["tool_input"], key, reason, wait)
        said: PreToolUseHookSpecificOutput = {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny" if found is None else "allow",
            "permissionDecisionReason": why,
        }
        if found is not None:
            said["updatedInput"] = found
        return {"hookSpecificOutput": said}

    return HookMatcher(hooks=[hook], timeout=wait + _SPARE, on_failure="block")


def can_use_tool(agent: Agent, *, reason: str = "", wait: int = 600) -> CanUseTool:
    """Make a `can_use_tool` callback that has a call approved where Claude would ask for permission.

    It sees no call that the CLI's own rules allow; `pre_tool_use` sees them all. Else it is as that.
    """

    async def decide(
        tool: str, given: dict[str, Any], context: ToolPermissionContext
    ) -> PermissionResultAllow | PermissionResultDeny:
        key = wish("claude", "", context.tool_use_id) if context.tool_use_id else ""
        found, why = await _permitted(agent, tool, given, key, reason, wait)
        return PermissionResultDeny(message=why) if found is None else PermissionResultAllow(updated_input=found)

    return decide


async def _permitted(
    agent: Agent, tool: str, given: dict[str, Any], key: str, reason: str, wait: int
) -> tuple[dict[str, Any] | None, str]:
    """Give the arguments with which a call may pass, or None, and what is said of it."""

    async def permit(approved: dict[str, Any]) -> dict[str, Any]:
        return approved

    call = Call(tool, _schema(given), given, permit, f"Use the tool {tool}")
    try:
        await agent.functions().call(call, reason=reason, key=key, wait=wait)
    except AgentError as error:
        return None, told(error).text
    if not call.ran:
        return None, "This very call was approved and let pass before. It does not pass again."
    return call.value, "The person has approved exactly this call."


def _schema(given: dict[str, Any]) -> dict[str, Any]:
    """Describe the arguments of a tool whose schema is not told, so that each is shown by its name."""
    members: dict[str, Any] = {
        name: {"type": "string"} if isinstance(value, str) else {} for name, value in given.items()
    }
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def _is_among(tool: str, allowed: Collection[str]) -> bool:
    return any(tool == name or (name.endswith("*") and tool.startswith(name[:-1])) for name in allowed)
