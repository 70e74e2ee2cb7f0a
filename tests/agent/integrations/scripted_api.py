"""The loopback end of a model's API, which answers as it is scripted, whoever asks."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.ports import free_port
from tests.service.world import served


class ScriptedApi:
    """Asks for `calls` (name, arguments), then says what the tools have answered; `answers` keeps it."""

    def __init__(self, *calls: tuple[str, dict[str, Any]]) -> None:
        self.calls, self.run = calls, secrets.token_hex(8)
        self.answers: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []

    async def messages(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(body)
        found = [
            part
            for message in body["messages"]
            if message["role"] == "user" and isinstance(message["content"], list)
            for part in message["content"]
            if part["type"] == "tool_result"
        ]
        if found:
            self.answers = found
        wants = not found and body.get("tools")
        content: list[dict[str, Any]] = [{"type": "text", "text": "done"}]
        if wants:
            content = [
                {"type": "tool_use", "id": f"toolu_{self.run}_{number}", "name": name, "input": given}
                for number, (name, given) in enumerate(self.calls)
            ]
        message = {
            "id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": content,
            "stop_reason": "tool_use" if wants else "end_turn", "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }  # fmt: skip
        if not body.get("stream"):
            return JSONResponse(message)
        return Response("".join(_events(message)), media_type="text/event-stream")

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve until the block ends; gives the address."""
        port = free_port()
        app = Starlette(routes=[Route("/v1/messages", self.messages, methods=["POST"])])
        with served(app, port):
            yield f"http://localhost:{port}"


def _events(message: dict[str, Any]) -> Iterator[str]:
    def event(kind: str, **members: Any) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n"

    yield event("message_start", message={**message, "content": [], "stop_reason": None})
    for index, part in enumerate(message["content"]):
        if part["type"] == "text":
            start, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": part["text"]}
        else:
            start = {**part, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(part["input"])}
        yield event("content_block_start", index=index, content_block=start)
        yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    yield event(
        "message_delta",
        delta={"stop_reason": message["stop_reason"], "stop_sequence": None},
        usage={"output_tokens": 1},
    )
    yield event("message_stop")
