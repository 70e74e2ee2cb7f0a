"""A page in the person's browser reaches an MCP server on their machine, by a name that is made to lead there."""

from __future__ import annotations

import httpx
import pytest

from tests.service.mcp.shelf import Shelf

CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "read", "arguments": {"path": "/a"}}}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8000", "Origin": "http://evil.example:8000"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Host": "localhost"},
    ],
)
async def test_another_host_or_origin_is_refused(keyed_shelf: Shelf, headers: dict[str, str]) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        for method in ("POST", "GET", "DELETE", "OPTIONS"):
            answer = await http.request(method, f"{keyed_shelf.resource}/mcp", headers=ACCEPT | headers, json=CALL)
            assert (answer.status_code, answer.json()["reason"]) == (403, "csrf")
            assert "access-control-allow-origin" not in answer.headers
    assert keyed_shelf.written == []


async def test_its_own_origin_is_let_in(keyed_shelf: Shelf) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{keyed_shelf.resource}/mcp", headers={"Origin": keyed_shelf.resource}, json=CALL)
        assert answer.status_code != 403
