"""A bridge from plain HTTP to MCP: requests to the address for acts by name become calls of a tool, and back.

So whatever is tried on a guarded HTTP service can be tried on a guarded tool, by `_meta` or by header fields.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult
from tests.service.mcp.shelf import REVISIONS, Shelf

from oneact.errors import Reason
from oneact.protocol import metadata, tool
from oneact.service import endpoints

MEMBERS = {
    "authorization": tool.AUTHORIZATION, "dpop": tool.PROOF, "accept-txn-challenge": tool.ACCEPT,
}  # fmt: skip
MARK = "x-bridged"


@dataclass
class Bridge:
    """An ASGI application in front of a shelf's."""

    shelf: Shelf
    way: Literal["meta", "header"]
    revision: str

    @property
    def address(self) -> str:
        return endpoints.ACT_PATH if self.way == "meta" else "/mcp"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {} if scope["type"] != "http" else {name.decode(): value.decode() for name, value in scope["headers"]}
        if self.way == "header" and scope.get("path") == metadata.SERVICE_PATH:
            return await self._described(scope, receive, send)
        if scope.get("path") != self.address or scope["method"] != "POST" or MARK in headers:
            return await self.shelf.app(scope, receive, send)
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        fields = [(name.decode(), value.decode()) for name, value in scope["headers"] if name.decode() in MEMBERS]
        if json.loads(body)["action"] != "buy":  # no tool: the guard's own action, at the guard's own address
            again = [{"type": "http.request", "body": body, "more_body": False}]
            own = {**scope, "path": endpoints.ACT_PATH, "raw_path": endpoints.ACT_PATH.encode()}

            async def replayed() -> Any:
                return again.pop() if again else await receive()

            return await self.shelf.app(own, replayed, send)
        status, said, more = await self._called(json.loads(body), fields)
        encoded = [(name.lower().encode(), value.encode()) for name, value in more]
        start = {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", b"application/json"), *encoded],
        }
        await send(start)
        await send({"type": "http.response.body", "body": said})
        return None

    async def _described(self, scope: Any, receive: Any, send: Any) -> None:
        """Publish the endpoint of MCP as the address for acts by name."""
        found: list[Any] = []

        async def kept(message: Any) -> None:
            found.append(message)

        await self.shelf.app(scope, receive, kept)
        said = json.loads(found[1]["body"]) | {"oneact_act_uri": self.shelf.resource + "/mcp"}
        await send({**found[0], "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps(said).encode()})

    async def _called(self, body: dict[str, Any], fields: list[tuple[str, str]]) -> tuple[int, bytes, Any]:
        name, arguments = body["action"], body["parameters"]
        # A member stands in `_meta` once: what comes twice comes by the other way too.
        twice = [pair for at, pair in enumerate(fields) if pair[0] in {name for name, _ in fields[:at]}]
        by_header = fields if self.way == "header" else twice
        refused: list[httpx2.Response] = []

        async def looked_at(response: httpx2.Response) -> None:
            """Keep what a client of MCP tells as "an error response" alone."""
            if response.status_code >= 400:
                await response.aread()
                refused.append(response)

        async with httpx2.AsyncClient(
            headers=[*by_header, (MARK, "1")], timeout=30, trust_env=False, event_hooks={"response": [looked_at]}
        ) as http:
            address = self.shelf.resource + "/mcp"
            if self.way == "header" and "authorization" not in dict(fields):
                message = {
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": "tools/call",
                    "params": {"name": name, "arguments": arguments},
                }
                answer = await http.post(address, json=message)
                return answer.status_code, answer.content, answer.headers.items()
            brought: Any = {MEMBERS[field]: value for field, value in reversed(fields)} if self.way == "meta" else {}
            async with Client(
                streamable_http_client(address, http_client=http), mode=REVISIONS[self.revision]
            ) as client:
                try:
                    result = await client.call_tool(name, arguments, meta=brought or None)
                    assert self.way == "meta" or tool.REFUSED not in (result.meta or {})
                    return told(result)
                except MCPError:
                    [answer] = refused
                    assert answer.headers["cache-control"] == "no-store"
                    return answer.status_code, answer.content, answer.headers.items()


def told(result: CallToolResult) -> tuple[int, bytes, Any]:
    """Give the answer over HTTP that says the same as a result."""
    meta = dict(result.meta or {})
    refused: Any = meta.get(tool.REFUSED)
    if refused is not None:
        reason = Reason(refused["reason"])
        return reason.status, json.dumps(refused).encode(), [("WWW-Authenticate", f'DPoP error="{reason.error}"')]
    octets = tool.octets(result.model_dump(mode="json", by_alias=True, exclude_none=True))
    more = [("OneAct-Receipt", meta[tool.RECEIPT]), ("OneAct-Result-Salt", meta[tool.SALT])]
    return (500 if result.is_error else 200), octets, more
