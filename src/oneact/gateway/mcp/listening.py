"""Clients over streamable HTTP, on this machine: who shows the secret, from no web page of another site."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import secrets
import signal
import sys
from typing import TYPE_CHECKING, Final

import uvicorn
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from oneact.gateway.mcp import door as doors
from oneact.gateway.mcp import http, places, reaching, running
from oneact.gateway.mcp.exchanges import Exchanges
from oneact.gateway.mcp.sessions import Sessions

if TYPE_CHECKING:
    from pathlib import Path

    from oneact.gateway.mcp.policy import Policy
    from oneact.gateway.mcp.proxy import Proxy
    from oneact.gateway.mcp.running import Options
    from oneact.gateway.mcp.upstream import Connect
    from oneact.service.asgi import Receive, Scope, Send

PATH: Final = "/mcp"
_FILE: Final = "clients"


async def run(policy: Policy, options: Options, port: int) -> None:
    """Run the proxy for clients at a port of this machine, until the process is told to end."""
    connect = reaching.connecting(policy)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # on Windows
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with running.proxying(policy, options) as proxy:
        listening = doors.listen(port)
        address = f"http://localhost:{listening.getsockname()[1]}{PATH}"
        secret = _secret(proxy.place)
        front = Front(proxy, connect, listening.getsockname()[1], secret)
        server = doors.Server(uvicorn.Config(front, **doors.SERVING))
        serving = asyncio.get_running_loop().create_task(server.serve(sockets=[listening]))
        sys.stderr.write(f"oneact: clients reach {address} with the header Authorization: Bearer {secret}\n")
        sys.stderr.flush()
        await stopping.wait()
        await front.close()
        server.should_exit = True
        await serving


class Front:
    """The ASGI application in front of one proxied server."""

    def __init__(self, proxy: Proxy, connect: Connect, port: int, secret: str) -> None:
        hosts = (f"localhost:{port}", f"127.0.0.1:{port}")
        self._hosts = frozenset(hosts)
        self._origins = frozenset(f"http://{name}" for name in hosts)
        self._secret = f"Bearer {secret}"
        self._sessions = Sessions(proxy, connect)
        self._exchanges = Exchanges(proxy, connect)

    async def close(self) -> None:
        """End all sessions."""
        await self._sessions.close()
        await self._exchanges.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        status = self._refusal(scope)
        if status is not None:
            await http.answer(send, status)
            return
        body = await http.read(receive)
        if body is None:
            await http.answer(send, 413)
            return
        versions = http.values(scope, MCP_PROTOCOL_VERSION_HEADER)
        if versions and versions[0] not in HANDSHAKE_PROTOCOL_VERSIONS:
            await self._exchanges.answer(scope, body, receive, send)
        else:
            await self._sessions.answer(scope, body, receive, send)

    def _refusal(self, scope: Scope) -> int | None:
        """Give the status for what is not for this address (DNS rebinding), of another site, or of a stranger."""
        hosts, given = http.values(scope, "host"), http.values(scope, "authorization")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return 421
        if any(origin not in self._origins for origin in http.values(scope, "origin")):
            return 403
        if len(given) != 1 or not hmac.compare_digest(given[0].encode(), self._secret.encode()):
            return 401
        return None if scope["path"] == PATH else 404


def _secret(place: Path) -> str:
    """Give the secret that clients show, made at the first start: a port is open to every user of a machine."""
    file = place / _FILE
    kept = places.read_json(file)
    if isinstance(kept, str):
        return kept
    made = secrets.token_urlsafe(32)
    places.write(file, json.dumps(made).encode())
    return made
