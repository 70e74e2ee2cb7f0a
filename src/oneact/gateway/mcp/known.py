"""The MCP clients whose configuration files are known: where each has its own, and how a server stands in it.

Each row names the document of its vendor that says so; what is only known from how the program is built is marked.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Client:
    """A client: its file by platform, "" for all others, and how servers stand in it.

    A file begins with what it lies below: `home`, `project` for the working folder, `roaming` and `config` for where
    Windows and Linux have programs keep their settings. `member` holds the servers, `kind` is said of a started one.
    `address` is the member with the address of one reached over streamable HTTP, of which `remote` is said.
    """

    files: Mapping[str, str]
    member: str = "mcpServers"
    kind: str = ""
    address: str = "url"
    remote: str = ""

    def file(self) -> Path:
        """Give the path of its file here."""
        return Path(self.place(sys.platform, Path.home(), Path.cwd(), os.environ))

    def place(self, platform: str, home: PurePath, project: PurePath, environment: Mapping[str, str]) -> PurePath:
        """Give the path of its file on a platform, as `sys.platform` names it, for a user and a working folder."""
        below, _, rest = self.files.get(platform, self.files[""]).partition("/")
        named = type(home)(environment.get(_NAMED.get(below, ""), ""))
        if below == "project":
            return project / rest
        return (named if named.is_absolute() else home / _USUAL[below]) / rest


_NAMED: Final = {"roaming": "APPDATA", "config": "XDG_CONFIG_HOME"}
_USUAL: Final = {"home": "", "roaming": "AppData/Roaming", "config": ".config"}

CLIENTS: Final = {
    # Claude Code: "Connect Claude Code to tools via MCP", scope "project". The other scopes stand in a file that the
    # program itself writes all the time: `claude mcp add` is for those.
    "claude-code": Client({"": "project/.mcp.json"}, remote="http"),
    # Model Context Protocol: "Connect to local MCP servers", for macOS and Windows; Linux as Electron has it.
    "claude-desktop": Client({
        "darwin": "home/Library/Application Support/Claude/claude_desktop_config.json",
        "win32": "roaming/Claude/claude_desktop_config.json",
        "": "config/Claude/claude_desktop_config.json",
    }),
    # Cursor: "Model Context Protocol (MCP)", "Configuration locations", the global one.
    "cursor": Client({"": "home/.cursor/mcp.json"}),
    # Gemini CLI: "MCP servers with the Gemini CLI" and "Gemini CLI configuration", the user's file. `url` is SSE there.
    "gemini": Client({"": "home/.gemini/settings.json"}, address="httpUrl"),
    # VS Code: "MCP configuration reference", the workspace's file.
    "vscode": Client({"": "project/.vscode/mcp.json"}, member="servers", kind="stdio", remote="http"),
    # VS Code: the same, in the user's default profile, whose folder is in "User and workspace settings".
    "vscode-user": Client({
        "darwin": "home/Library/Application Support/Code/User/mcp.json",
        "win32": "roaming/Code/User/mcp.json",
        "": "config/Code/User/mcp.json",
    }, member="servers", kind="stdio", remote="http"),
    # Windsurf: "Cascade MCP Integration", `mcp_config.json`.
    "windsurf": Client({"": "home/.codeium/windsurf/mcp_config.json"}, address="serverUrl"),
}  # fmt: skip
