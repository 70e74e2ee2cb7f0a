"""The MCP inspector's command line, run in the Node 22 that `make setup` has put beside it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MODULES: Final = Path(__file__).parent.resolve() / "node_modules"
_INSPECTOR: Final = "@modelcontextprotocol/inspector/clients/launcher/build/index.js"
_LONG: Final = 100.0  # seconds: longer than any client waits for one answer


class Inspected(NamedTuple):
    """How the inspector ended, the server's result, and what the inspector said besides."""

    status: int
    result: dict[str, Any]
    said: str

    @property
    def text(self) -> str:
        """Give the text of the result."""
        return "\n".join(part.get("text", "") for part in self.result.get("content", ()))


class Request(NamedTuple):
    """One request to a server; `era` is `legacy` (up to 2025-11-25) or `modern` (2026-07-28)."""

    method: str
    tool: str = ""
    arguments: Mapping[str, Any] = {}
    era: str = "legacy"

    def options(self) -> list[str]:
        """Give it as the inspector takes it."""
        called = ["--tool-name", self.tool, "--tool-args-json", json.dumps(dict(self.arguments))] if self.tool else []
        return ["--protocol-era", self.era, "--method", self.method, *called]


class Inspection:
    """An inspector at work."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def end(self) -> Inspected:
        """Wait for its end and give what it found; raises subprocess.TimeoutExpired where it hangs."""
        output, said = self._process.communicate(timeout=_LONG)
        return Inspected(self._process.returncode, json.loads(output).get("result", {}) if output else {}, said)


def node() -> str:
    """Give the Node to run: the one that was installed here, or the machine's own."""
    installed = MODULES / ".bin" / "node"
    return str(installed) if installed.exists() else "node"


def packaged(script: str, *arguments: str) -> list[str]:
    """Give the command that runs a script of an installed package."""
    return [node(), str(MODULES / script), *arguments]


@contextlib.contextmanager
def inspecting(server: Mapping[str, Any], request: Request) -> Iterator[Inspection]:
    """Run the inspector on a server, given as an MCP client's configuration file has it, beside the block."""
    with tempfile.TemporaryDirectory(prefix="inspector-") as home:  # it writes into the home of whoever runs it
        file = Path(home) / "mcp.json"
        file.write_text(json.dumps({"mcpServers": {"server": dict(server)}}), "utf-8")
        chosen = ["--cli", "--config", str(file), "--server", "server", "--format", "json", "--quiet"]
        with subprocess.Popen(  # noqa: S603 - an installed package, by its own interpreter
            [*packaged(_INSPECTOR), *chosen, *request.options()],
            env={**os.environ, "HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield Inspection(process)
            finally:
                process.kill()


def inspect(server: Mapping[str, Any], request: Request) -> Inspected:
    """Send one request to a server by the inspector, and wait for what becomes of it."""
    with inspecting(server, request) as inspection:
        return inspection.end()
