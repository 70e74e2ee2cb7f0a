"""A server without any library whose one tool can be called as a task, in revision 2025-11-25."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

CALLS = Path(os.environ["TEST_CALLS"])
THEIRS = "the server's own"
DECLARED: dict[str, Any] = {"tools": {}, "tasks": {"cancel": {}, "requests": {"tools": {"call": {}}}}}
TOOL = {"name": "long", "inputSchema": {"type": "object"}, "execution": {"taskSupport": "optional"}}


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def task(status: str) -> dict[str, Any]:
    return {"taskId": THEIRS, "status": status, "createdAt": "2026-01-01T00:00:00Z", "ttl": None}


def answer(method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method == "initialize":
        told = {"protocolVersion": params["protocolVersion"], "serverInfo": {"name": "tasked", "version": "1"}}
        return {**told, "capabilities": DECLARED}
    if method == "tools/list":
        return {"tools": [TOOL]}
    if method == "tools/call":
        with CALLS.open("a") as opened:
            opened.write(json.dumps(params.get("task")) + "\n")
        return {"task": task("working")}
    assert params["taskId"] == THEIRS
    send({"method": "notifications/tasks/status", "params": task("completed")})
    if method == "tasks/result":
        related = {"io.modelcontextprotocol/related-task": {"taskId": THEIRS}}
        return {"content": [{"type": "text", "text": "at last"}], "_meta": related}
    return task("cancelled" if method == "tasks/cancel" else "completed")


for line in sys.stdin:
    message = json.loads(line)
    if message.get("id") is not None:
        send({"id": message["id"], "result": answer(message["method"], message.get("params", {}))})
