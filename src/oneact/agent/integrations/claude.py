"""For the Claude Agent SDK: a service's actions as an MCP server within the agent's own process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claude_agent_sdk import SdkMcpTool, create_sdk_mcp_server

if TYPE_CHECKING:
    from collections.abc import Iterable

    from claude_agent_sdk import McpSdkServerConfig

    from oneact.agent.integrations.tools import Tool


def server(name: str, of: Iterable[Tool]) -> McpSdkServerConfig:
    """Make an MCP server for `ClaudeAgentOptions.mcp_servers` of tools that `agent.tools` has made.

    An outage is an error result: the SDK lets no exception of a tool end a run.
    """
    return create_sdk_mcp_server(name, tools=[_made(each) for each in of])


def _made(tool: Tool) -> SdkMcpTool[Any]:
    async def call(arguments: dict[str, Any]) -> dict[str, Any]:
        found = await tool.call(arguments)
        return {"content": [{"type": "text", "text": found.text}], "is_error": found.failed}

    return SdkMcpTool(tool.name, tool.description, tool.schema, call)
