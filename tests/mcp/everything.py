"""A plain MCP server that has what the official conformance runner asks of one, on the SDK's own server class."""

import asyncio
import base64
from typing import Any

import mcp.types as wire
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.server.mcpserver.tools import Tool
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore

from tests.mcp.inputs import inputs

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="  # one dot
_HEADER = b"RIFF\x26\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\2\0\0\0"
WAV = base64.b64encode(_HEADER + b"\0\0").decode()  # one silent sample
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {"type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}},
    },
    "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}},
    "additionalProperties": False,
}


class Events(EventStore):
    """What was sent on each stream, so that a client that lost one may ask for the rest."""

    def __init__(self) -> None:
        self._sent: list[tuple[str, wire.JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: wire.JSONRPCMessage | None) -> str:
        self._sent.append((stream_id, message))
        return str(len(self._sent) - 1)

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        stream = self._sent[int(last_event_id)][0]
        for number, (other, message) in enumerate(self._sent[int(last_event_id) + 1 :], int(last_event_id) + 1):
            if other == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


def everything(middleware: Any = ()) -> MCPServer:
    """Give the server, its requests going through `middleware`."""
    chosen = Tool.from_function(_described, name="json_schema_2020_12_tool", description="Takes a published schema.")
    tools = [chosen.model_copy(update={"parameters": SCHEMA})]
    server = MCPServer("everything", version="1", tools=tools, middleware=middleware, log_level="WARNING")
    for tool in (_contents, _behaviour, _asking_back, inputs):
        tool(server)
    _resources(server)
    _prompts(server)
    _endpoints(server)
    return server


def _described(name: str = "", address: dict[str, Any] | None = None) -> str:
    return f"{name} {address}"


def _image() -> wire.ImageContent:
    return wire.ImageContent(data=PNG, mime_type="image/png")


def _embedded(uri: str, kind: str, text: str) -> wire.EmbeddedResource:
    return wire.EmbeddedResource(resource=wire.TextResourceContents(uri=uri, mime_type=kind, text=text))


def _contents(server: MCPServer) -> None:
    @server.tool(description="Say one sentence.")
    def test_simple_text() -> str:
        return "This is a simple text response for testing."

    @server.tool(description="Show a picture.", structured_output=False)
    def test_image_content() -> list[wire.ImageContent]:
        return [_image()]

    @server.tool(description="Play a sound.", structured_output=False)
    def test_audio_content() -> list[wire.AudioContent]:
        return [wire.AudioContent(data=WAV, mime_type="audio/wav")]

    @server.tool(description="Give a resource.", structured_output=False)
    def test_embedded_resource() -> list[wire.EmbeddedResource]:
        return [_embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]

    @server.tool(description="Give a text, a picture and a resource.", structured_output=False)
    def test_multiple_content_types() -> list[wire.ContentBlock]:
        resource = _embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
        return [wire.TextContent(text="Multiple content types test:"), _image(), resource]


def _behaviour(server: MCPServer) -> None:
    @server.tool(description="Log three lines.")
    async def test_tool_with_logging(ctx: Context[Any, Any]) -> str:
        for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await ctx.info(line)
            await asyncio.sleep(0.05)
        return "logged"

    @server.tool(description="Report progress.")
    async def test_tool_with_progress(ctx: Context[Any, Any]) -> str:
        for done in (0, 50, 100):
            await ctx.report_progress(done, 100)
            await asyncio.sleep(0.05)
        return "reported"

    @server.tool(description="Fail.")
    def test_error_handling() -> str:
        raise RuntimeError("This tool intentionally returns an error for testing")

    @server.tool(description="Close the stream, and answer to whoever comes back for the rest.")
    async def test_reconnection(ctx: Context[Any, Any]) -> str:
        await ctx.close_sse_stream()
        await asyncio.sleep(0.1)
        return "answered after the stream was closed"


def _asking_back(server: MCPServer) -> None:
    async def elicit(ctx: Context[Any, Any], message: str, properties: dict[str, Any]) -> str:
        schema = {"type": "object", "properties": properties, "required": []}
        given = await ctx.session.elicit_form(message, schema, related_request_id=ctx.request_id)
        return f"Elicitation completed: action={given.action}, content={given.content}"

    @server.tool(description="Have the client's model say something.")
    async def test_sampling(prompt: str, ctx: Context[Any, Any]) -> str:
        asked = wire.SamplingMessage(role="user", content=wire.TextContent(text=prompt))
        said = await ctx.session.create_message([asked], max_tokens=100, related_request_id=ctx.request_id)
        return f"LLM response: {said.content}"

    @server.tool(description="Ask the user for a name and an address.")
    async def test_elicitation(message: str, ctx: Context[Any, Any]) -> str:
        text = {"type": "string", "description": "What the user says"}
        return await elicit(ctx, message, {"username": text, "email": text})

    @server.tool(description="Ask the user, with values that stand already.")
    async def test_elicitation_sep1034_defaults(ctx: Context[Any, Any]) -> str:
        status = {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"}
        asked = {
            "name": {"type": "string", "default": "John Doe"},
            "age": {"type": "integer", "default": 30},
            "score": {"type": "number", "default": 95.5},
            "status": status,
            "verified": {"type": "boolean", "default": True},
        }
        return await elicit(ctx, "Check what stands there.", asked)

    @server.tool(description="Ask the user to choose.")
    async def test_elicitation_sep1330_enums(ctx: Context[Any, Any]) -> str:
        plain = {"type": "string", "enum": ["option1", "option2", "option3"]}
        titled = [{"const": f"value{number}", "title": f"Option {number}"} for number in (1, 2, 3)]
        names = {"enumNames": ["Option One", "Option Two", "Option Three"]}
        asked = {
            "untitledSingle": plain,
            "titledSingle": {"type": "string", "oneOf": titled},
            "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], **names},
            "untitledMulti": {"type": "array", "items": plain},
            "titledMulti": {"type": "array", "items": {"anyOf": titled}},
        }
        return await elicit(ctx, "Choose.", asked)


def _resources(server: MCPServer) -> None:
    @server.resource("test://static-text", description="A text.", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", description="A picture.", mime_type="image/png")
    def static_binary() -> bytes:
        return base64.b64decode(PNG)

    @server.resource("test://watched-resource", description="Watched by some.", mime_type="text/plain")
    def watched() -> str:
        return "watched"

    @server.resource("test://template/{identifier}/data", description="By number.", mime_type="application/json")
    def by_number(identifier: str) -> str:
        return f'{{"id":"{identifier}","templateTest":true,"data":"Data for ID: {identifier}"}}'


def _prompts(server: MCPServer) -> None:
    @server.prompt(description="A sentence.")
    def test_simple_prompt() -> str:
        return "This is a simple prompt for testing."

    @server.prompt(description="A sentence with two words in it.")
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt(description="A resource and a sentence.")
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803 - the runner's name
        resource = _embedded(resourceUri, "text/plain", "Embedded resource content for testing.")
        return [UserMessage(resource), UserMessage("Please process the embedded resource above.")]

    @server.prompt(description="A picture and a sentence.")
    def test_prompt_with_image() -> list[UserMessage]:
        return [UserMessage(_image()), UserMessage("Please analyze the image above.")]


def _endpoints(server: MCPServer) -> None:
    """Serve what the SDK's class leaves to the server below it: completion, log level, subscriptions."""

    @server.completion()
    async def complete(_reference: Any, argument: wire.CompletionArgument, _context: Any) -> wire.Completion:
        return wire.Completion(values=[word for word in ("paris", "park") if word.startswith(argument.value)])

    async def accept(_ctx: Any, _params: Any) -> wire.EmptyResult:
        return wire.EmptyResult()

    for method, params in (
        ("logging/setLevel", wire.SetLevelRequestParams),
        ("resources/subscribe", wire.SubscribeRequestParams),
        ("resources/unsubscribe", wire.UnsubscribeRequestParams),
    ):
        server._lowlevel_server.add_request_handler(method, params, accept)
