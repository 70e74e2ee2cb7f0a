"""A program that posts calls of tools by itself, with header fields of its own: what HTTP says is seen as it is."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

_BOTH = {"Accept": "application/json, text/event-stream"}
_INFO = {"name": "poster", "version": "1"}
_PREFIX = "io.modelcontextprotocol/"


@dataclass
class Poster:
    """Posts to the MCP endpoint at `url`, in one revision; a session of the older one is begun at the first call."""

    url: str
    revision: str
    capabilities: dict[str, Any] = field(default_factory=dict)
    session: dict[str, str] = field(default_factory=dict)
    count: int = 0

    async def call(
        self, name: str, arguments: dict[str, Any], headers: dict[str, str], meta: dict[str, Any] | None = None
    ) -> httpx.Response:
        """Call a tool and give the answer as it came."""
        return await self.ask("tools/call", {"name": name, "arguments": arguments, "_meta": meta or {}}, headers)

    async def ask(self, method: str, params: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
        """Make a request and give the answer as it came."""
        async with httpx.AsyncClient(trust_env=False, timeout=30, headers=_BOTH) as http:
            if self.revision == "2025-11-25":
                await self._begin(http)
                said, more = params, self.session
            else:
                envelope = {
                    f"{_PREFIX}protocolVersion": self.revision, f"{_PREFIX}clientInfo": _INFO,
                    f"{_PREFIX}clientCapabilities": self.capabilities,
                }  # fmt: skip
                said = {**params, "_meta": {**envelope, **params.get("_meta", {})}}
                more = {"MCP-Protocol-Version": self.revision, "Mcp-Method": method}
                more |= {"Mcp-Name": params["name"]} if "name" in params else {}
            self.count += 1
            message = {"jsonrpc": "2.0", "id": self.count, "method": method, "params": said}
            return await http.post(self.url, headers={**more, **headers}, json=message)

    async def _begin(self, http: httpx.AsyncClient) -> None:
        if self.session:
            return
        hello = {"protocolVersion": self.revision, "capabilities": self.capabilities, "clientInfo": _INFO}
        opened = await http.post(self.url, json={"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello})
        self.session = {"Mcp-Session-Id": opened.headers["mcp-session-id"], "MCP-Protocol-Version": self.revision}
        began = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await http.post(self.url, headers=self.session, json=began)


def messages(answer: httpx.Response) -> list[dict[str, Any]]:
    """Give the messages of an answer, a stream of events or one in JSON."""
    if not answer.headers["content-type"].startswith("text/event-stream"):
        return [answer.json()]
    lines = [line.removeprefix("data:").strip() for line in answer.text.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line]
