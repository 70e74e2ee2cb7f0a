"""The command line: one file for each command."""

from __future__ import annotations

import sys
from typing import Final

# What a plain installation lacks, by the module that is missing, and what to install for it.
_INSTALL: Final = {
    "typer": '"oneact[agent,cli]" for an agent, "oneact[cli,server]" for an approval server, or "oneact[mcp-proxy]"',
    "rich": '"oneact[agent,cli]" for an agent, "oneact[cli,server]" for an approval server, or "oneact[mcp-proxy]"',
    "httpx": '"oneact[agent,cli]"',
    "jinja2": '"oneact[cli,server]"',
    "mcp": '"oneact[mcp-proxy]"',
    "starlette": '"oneact[cli,server]"',
    "uvicorn": '"oneact[cli,server]"',
    "webauthn": '"oneact[cli,server]"',
    "yaml": '"oneact[mcp-proxy]"',
}


def main() -> None:
    """Run the command line; a part of OneAct that is not installed is named in one sentence, with exit status 2."""
    try:
        from oneact.cli.commands import app

        app()
    except ModuleNotFoundError as missing:
        wanted = _INSTALL.get((missing.name or "").partition(".")[0])
        if wanted is None:
            raise
        print(f"oneact: {missing.name} is not installed; pip install {wanted}", file=sys.stderr)
        raise SystemExit(2) from None
