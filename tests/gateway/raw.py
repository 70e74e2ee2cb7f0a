"""A server without any library: it lists the tools that stand in a file, and does what its tools' names say."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

TOOLS = Path(os.environ["TEST_TOOLS"])
CALLS = Path(os.environ["TEST_CALLS"])


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def result(text: str, **members: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], **members}


def call(message: dict[str, Any]) -> None:  # noqa: C901 - a tool each
    params = message["params"]
    name, arguments = params["name"], params.get("arguments", {})
    with CALLS.open("a") as opened:
        opened.write(json.dumps([name, arguments]) + "\n")
    if name == "flood_line":
        while True:
            sys.stdout.write("x" * 65536)
    if name == "flood_notes":
        for number in range(30_000):
            send({"method": "notifications/message", "params": {"level": "info", "data": f"{number} " + "x" * 200}})
    if name == "stray":
        sys.stdout.write("this is no message\n")
        send({"id": "nobody asked for this", "result": {}})
    if name == "wait":
        until = time.monotonic() + float(arguments.get("seconds", 60))
        while time.monotonic() < until and not Path(arguments.get("go", "")).is_file():
            time.sleep(0.02)
    if name == "refuse":
        send({"id": message["id"], "error": {"code": -32099, "message": "no", "data": {"why": "so"}}})
        return
    if name == "input" and "requestState" not in params:
        wanted = {"method": "elicitation/create", "params": {"mode": "form", "message": "Name?", "requestedSchema": {}}}
        asked = {"resultType": "input_required", "requestState": "s1", "inputRequests": {"name": wanted}}
        send({"id": message["id"], "result": asked})
        return
    if name in {"give", "tell"}:
        told = f'"result":{json.dumps(result(json.dumps(params)))}' if name == "tell" else arguments["text"]
        sys.stdout.write(f'{{"jsonrpc":"2.0","id":{json.dumps(message["id"])},{told}}}\n')
        sys.stdout.flush()
        return
    if name == "sample":
        send({"id": 1, "method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 1}})
        answer = json.loads(sys.stdin.readline())
        send({"id": message["id"], "result": result(json.dumps(answer.get("result")))})
        return
    send({"id": message["id"], "result": result(name, _meta={"own": 1.0}, big=2**60)})


def answer(message: dict[str, Any]) -> None:
    method, identifier = message.get("method"), message.get("id")
    if method == "initialize":
        told = {"protocolVersion": message["params"]["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "raw", "version": "1"}}  # fmt: skip
        send({"id": identifier, "result": told})
    elif method == "tools/list":
        send({"id": identifier, "result": {"tools": json.loads(TOOLS.read_text())}})
    elif method == "tools/call":
        call(message)
    elif method == "end":
        os._exit(3)
    elif method == "announce":
        send({"method": "notifications/tools/list_changed"})
        send({"id": identifier, "result": {}})
    elif identifier is not None:
        send({"id": identifier, "result": {"echo": message}})


for line in sys.stdin:
    answer(json.loads(line))
