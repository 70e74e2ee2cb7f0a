"""The guard in front of the tools of MCP servers."""

from oneact.service.act import Act, Asker, LocalAccount
from oneact.service.issuers import LINKED
from oneact.service.mcp.guard import Guard

__all__ = ["LINKED", "Act", "Asker", "Guard", "LocalAccount"]
