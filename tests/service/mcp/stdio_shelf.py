"""A server over stdio for one person: its tool is guarded, its approval server embedded, its pages on localhost."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from fastmcp import FastMCP
from mcp.server.mcpserver import MCPServer

from oneact.embedded import Embedded
from oneact.service.mcp import Guard


def main(kind: str, folder: Path, port: str, issuer: str) -> None:
    guard = Guard(
        resource=f"http://localhost:{port}", name="Shelf", key=folder / "k.jwk", store=folder / "s.db", account="ada",
        issuers=[issuer] if issuer else Embedded(folder / "approve"), show=(folder / "shown").write_text,
    )  # fmt: skip
    library: Any = FastMCP if kind == "fastmcp" else MCPServer
    server = library("shelf", lifespan=guard.listen)

    @server.tool()
    @guard.tool(intent="Write a file", summary="Write {path}")
    def write(path: str) -> str:
        with (folder / "written").open("a") as file:
            file.write(path + "\n")
        return f"{path} written"

    (folder / "pid").write_text(str(os.getpid()))
    guard.protect(server)
    server.run("stdio")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4])
