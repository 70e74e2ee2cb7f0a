"""A first policy for a server: its tools as it lists them, each to be approved, its own hints as remarks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import oneact
from oneact.gateway import rules
from oneact.gateway.mcp import reaching
from oneact.gateway.mcp.messages import Lost, Message, notification
from oneact.gateway.mcp.relay import PAGES
from oneact.gateway.mcp.tools import listing
from oneact.gateway.mcp.upstream import Upstream

if TYPE_CHECKING:
    from oneact.gateway.mcp.pins import Tool
    from oneact.gateway.mcp.policy import Policy

_SECONDS: Final = 60.0
_HELLO: Final[Message] = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "oneact", "version": oneact.__version__},
}
_HEAD: Final = """\
# What each tool of this server needs: approve (a person's passkey, for each call), allow, or deny.
# A tool that is not named here is approve. A star at the end stands for any ending, as in read_*.
# What a server says of its own tools stands as a remark: nobody has checked it.
"""


async def tools_of(policy: Policy) -> list[Tool]:
    """Start a server and list its tools; raises OSError where it does not answer."""

    async def dropped(_: Message) -> None:
        """Hear nothing that was not asked for."""

    upstream = Upstream(reaching.connecting(policy), dropped)
    try:
        answer = await upstream.ask("initialize", _HELLO, _SECONDS)
        if "result" not in answer:
            raise OSError(f"the server refuses to be initialized: {json.dumps(answer.get('error'))}")
        await upstream.pass_on(notification("notifications/initialized"))
        return await _listed(upstream)
    except (Lost, TimeoutError, ValueError) as error:
        raise OSError(f"the server's tools cannot be listed: {error}") from error
    finally:
        await upstream.close()


def proposed(policy: Policy, tools: list[Tool]) -> str:
    """Give a policy file for a server with these tools."""
    lines = [_HEAD.rstrip()]
    if policy.name:
        lines.append(f"name: {_text(policy.name)}")
    if policy.command:
        lines.append(f"command: [{', '.join(_text(part) for part in policy.command)}]")
    if policy.url:
        lines.append(f"url: {_text(policy.url)}")
    named = [tool for tool in tools if _can_be_named(tool)]
    lines.append("tools:" if named else "tools: {}")
    lines += [f"  {_text(tool['name'])}: approve{_remark(tool)}" for tool in named]
    if len(named) < len(tools):
        lines.append(f"# {len(tools) - len(named)} more are approve: their names are such that no rule can name them")
    return "\n".join(lines) + "\n"


async def _listed(upstream: Upstream) -> list[Tool]:
    tools: list[Tool] = []
    cursor: Any = None
    for _ in range(PAGES):
        answer = await upstream.ask("tools/list", {"cursor": cursor} if cursor else {}, _SECONDS)
        tools += listing(answer)
        cursor = answer["result"].get("nextCursor")
        if not cursor:
            break
    return tools


def _can_be_named(tool: Tool) -> bool:
    name = tool.get("name")
    try:
        rules.parse({name: "approve"})
    except ValueError:
        return False
    return not str(name).endswith("*")


def _remark(tool: Tool) -> str:
    hints = tool.get("annotations")
    says = isinstance(hints, dict) and hints.get("readOnlyHint") is True
    return "  # the server says that it only reads; allow, if you believe it" if says else ""


def _text(value: str) -> str:
    """Give a text as JSON, which YAML reads as the same text, whatever characters it is of."""
    return json.dumps(value)
