"""A program with a key at a shelf, of which each step can be done wrongly; its person approves in this process."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from mcp_types import CallToolResult
from tests.service.mcp.shelf import Shelf, meta

from oneact.protocol import dpop, tool
from oneact.service import endpoints
from oneact.testing import InProcessApprover, TestAgent


@dataclass
class Keyed:
    """The program, which connects for each call."""

    shelf: Shelf
    revision: str
    agent: TestAgent = field(default_factory=TestAgent)

    @property
    def person(self) -> InProcessApprover:
        found: InProcessApprover = self.shelf.approver
        return found

    async def ask(self, name: str, arguments: dict[str, Any]) -> str:
        """Ask for an offer."""
        asking = {tool.ACCEPT: f'?1;as="{self.person.issuer}"'}
        result = await self.call(name, arguments, asking)
        return str(meta(result)[tool.REFUSED]["transaction_challenge"])

    async def approved(self, name: str, arguments: dict[str, Any], **changes: Any) -> str:
        """Ask, and have it approved; give the token."""
        actions: Any = {"actions": [found.action.document for found in self.shelf.guard.actions.values()]}
        return self.person.approve(await self.ask(name, arguments), actions, self.agent, int(time.time()), **changes)

    async def show(self, token: str, name: str, arguments: dict[str, Any], proof: str = "") -> CallToolResult:
        """Call with the token, and a fresh proof unless one is given."""
        shown = {tool.AUTHORIZATION: f"DPoP {token}", tool.PROOF: proof or self.proof(token)}
        return await self.call(name, arguments, shown)

    async def call(self, name: str, arguments: dict[str, Any], brought: dict[str, str]) -> CallToolResult:
        """Call a tool with these members of `_meta`."""
        told: Any = brought
        async with self.shelf.client(self.revision, None) as client:
            return await client.call_tool(name, arguments, meta=told)

    def proof(self, token: str) -> str:
        """Make a proof for the address of acts by name."""
        address = self.shelf.resource + endpoints.ACT_PATH
        return dpop.build(self.agent.key, "POST", address, int(time.time()), secrets.token_urlsafe(12), token=token)
