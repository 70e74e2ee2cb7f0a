"""What the plain server has for the revision of 2026: it asks back by a result, never by a request of its own."""

import asyncio
from typing import Any

import mcp.types as wire
from mcp.server.mcpserver import Context, MCPServer
from mcp.shared.exceptions import MCPError
from mcp.types import MISSING_REQUIRED_CLIENT_CAPABILITY, MissingRequiredClientCapabilityErrorData

_Questions = dict[str, wire.InputRequest]


def _form(message: str, field: str, kind: str = "string") -> wire.ElicitRequest:
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return wire.ElicitRequest(params=wire.ElicitRequestFormParams(message=message, requested_schema=schema))


def _sampling(text: str) -> wire.CreateMessageRequest:
    asked = wire.SamplingMessage(role="user", content=wire.TextContent(text=text))
    return wire.CreateMessageRequest(params=wire.CreateMessageRequestParams(messages=[asked], max_tokens=100))


_NAME = _form("What is your name?", "name")
_ROUNDS: dict[str, list[_Questions]] = {
    "elicitation": [{"user_name": _NAME}],
    "sampling": [{"capital_question": _sampling("What is the capital of France?")}],
    "list_roots": [{"client_roots": wire.ListRootsRequest()}],
    "request_state": [{"confirm": _form("Please confirm", "ok", "boolean")}],
    "multiple_inputs": [
        {"user_name": _NAME, "greeting": _sampling("Generate a greeting"), "client_roots": wire.ListRootsRequest()}
    ],
    "multi_round": [
        {"step1": _form("Step 1: What is your name?", "name")},
        {"step2": _form("Step 2: What is your favorite color?", "color")},
    ],
    "tampered_state": [{"confirm": _form("Please confirm", "ok", "boolean")}],
    "capabilities": [{"user_name": _NAME, "greeting": _sampling("Generate a greeting")}],
}


def inputs(server: MCPServer) -> None:
    """Add the tools and the prompt."""
    for name, rounds in _ROUNDS.items():
        _add(server, name, rounds)
    _asking(server)
    _notifying(server)
    _working(server)


def _asking(server: MCPServer) -> None:
    @server.tool(description="Need a client that samples.")
    async def test_missing_capability(ctx: Context[Any, Any]) -> str:
        if ctx.client_capabilities is None or ctx.client_capabilities.sampling is None:
            needed = wire.ClientCapabilities(sampling=wire.SamplingCapability())
            data = MissingRequiredClientCapabilityErrorData(required_capabilities=needed)
            lacking = data.model_dump(by_alias=True, exclude_none=True, mode="json")
            raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "this client does not sample", lacking)
        return "the client samples"

    @server.tool(description="Ask back on a stream.")
    async def test_streaming_elicitation(ctx: Context[Any, Any]) -> Any:
        return wire.InputRequiredResult(input_requests=_within({"user_name": _NAME}, ctx))

    @server.prompt(description="A prompt that asks first.")
    async def test_input_required_result_prompt(ctx: Context[Any, Any]) -> Any:
        questions = {"user_context": _form("What context should the prompt use?", "context")}
        if _answered(questions, ctx):
            return f"In this context: {ctx.input_responses}"
        return wire.InputRequiredResult(input_requests=questions)


def _notifying(server: MCPServer) -> None:
    @server.tool(description="Log a line.")
    async def test_logging_tool(ctx: Context[Any, Any]) -> str:
        await ctx.info("a line")
        return "logged"

    @server.tool(description="Say that the tools have changed.")
    async def test_trigger_tool_change(ctx: Context[Any, Any]) -> str:
        await ctx.notify_tools_changed()
        return "said"

    @server.tool(description="Say that the prompts have changed.")
    async def test_trigger_prompt_change(ctx: Context[Any, Any]) -> str:
        await ctx.notify_prompts_changed()
        return "said"


def _working(server: MCPServer) -> None:
    @server.tool(description="Greet somebody.")
    def greet(name: str) -> str:
        return f"Hello, {name}!"

    @server.tool(description="Take some time over it.")
    async def slow_compute(seconds: float, label: str = "") -> str:
        await asyncio.sleep(min(seconds, 0.1))
        return f"computed {label}"

    @server.tool(description="Throw a file away.")
    def confirm_delete(filename: str) -> str:
        return f"threw {filename} away"


def _add(server: MCPServer, name: str, rounds: list[_Questions]) -> None:
    async def tool(ctx: Context[Any, Any]) -> Any:
        number = int(ctx.request_state or 0)
        if _answered(_within(rounds[number], ctx), ctx):
            number += 1
        if number == len(rounds):
            return wire.CallToolResult(content=[wire.TextContent(text=f"state-ok {ctx.input_responses}")])
        return wire.InputRequiredResult(input_requests=_within(rounds[number], ctx), request_state=str(number))

    server.add_tool(tool, f"test_input_required_result_{name}", description=f"Ask back: {name}.")


def _within(questions: _Questions, ctx: Context[Any, Any]) -> _Questions:
    """Give those of the questions that the client says it can answer."""
    can = ctx.client_capabilities or wire.ClientCapabilities()
    held = {"elicitation/create": can.elicitation, "sampling/createMessage": can.sampling, "roots/list": can.roots}
    return {key: asked for key, asked in questions.items() if held[asked.method] is not None}


def _answered(questions: _Questions, ctx: Context[Any, Any]) -> bool:
    return set(questions) <= set(ctx.input_responses or {})
