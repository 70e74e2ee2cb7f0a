"""A small MCP server to stand behind the proxy, of `fastmcp`; it writes each call into a file, so that tests count."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from fastmcp import Context, FastMCP

CALLS = Path(os.environ.get("TEST_CALLS", os.devnull))
server: FastMCP = FastMCP("notes")


def called(name: str) -> None:
    with CALLS.open("a") as opened:
        opened.write(name + "\n")


@server.tool(annotations={"readOnlyHint": True})
def read_note(name: str) -> str:
    """Read a note."""
    called(f"read {name}")
    return f"note {name}"


@server.tool
def write_note(name: str, text: str, times: int = 1) -> dict[str, object]:
    """Write a note."""
    called(f"write {name} {text} {times}")
    return {"written": name, "weight": 0.5}


@server.tool
async def slow(seconds: float, ctx: Context) -> str:
    """Take some time."""
    called("slow")
    await ctx.report_progress(1, 2, "half")
    await asyncio.sleep(seconds)
    return "done"


@server.tool
def die() -> str:
    """End the server."""
    called("die")
    os._exit(3)


@server.tool
async def ask_name(ctx: Context) -> str:
    """Ask the user."""
    called("ask_name")
    answer = await ctx.elicit("Your name?", str)
    return str(getattr(answer, "data", answer.action))


@server.tool
def secret() -> str:
    """Tell a variable of the environment."""
    return os.environ.get("TEST_SECRET", "none")


@server.resource("note://{name}")
def note(name: str) -> str:
    """Give a note."""
    return f"note {name}"


@server.prompt
def greet(name: str) -> str:
    """Greet somebody."""
    return f"Say hello to {name}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["http"]:
        server.run("http", host="127.0.0.1", port=int(sys.argv[2]), show_banner=False)
    else:
        server.run(show_banner=False)
