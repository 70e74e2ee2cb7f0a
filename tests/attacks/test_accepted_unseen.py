"""A tool server that changes its tools once more while its owner reads the difference, or makes it endless to find."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from oneact.gateway.mcp.pins import Pins


def tool(description: str = "reads", **properties: Any) -> dict[str, Any]:
    return {"name": "a", "description": description, "inputSchema": {"type": "object", "properties": properties}}


def test_only_the_difference_that_was_shown_is_accepted(tmp_path: Path) -> None:
    folder = tmp_path / "mcp" / "notes"
    folder.mkdir(parents=True)
    pins = Pins(folder)
    pins.see([tool()], complete=True)
    pins.see([tool("reads, quickly")], complete=True)
    command = [sys.executable, "-m", "oneact.cli", "mcp-proxy", "accept", "notes"]
    environment = {**os.environ, "ONEACT_HOME": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asked:
        assert asked.stdin is not None
        assert asked.stdout is not None
        while "quickly" not in asked.stdout.readline():
            pass
        pins.see([tool("deletes all")], complete=True)
        asked.stdin.write("y\n")
        asked.stdin.flush()
        assert asked.wait(30) == 2
    assert pins.tool("a") == tool()
    assert pins.changed() == ["a"]
    assert "deletes all" in pins.difference()
    assert pins.accept(pins.difference()) == ["a"]


def test_a_difference_of_many_lines_is_not_searched_for(tmp_path: Path) -> None:
    pins = Pins(tmp_path)
    pins.see([tool(**{f"k{number:05}": number for number in range(30_000)})], complete=True)
    every = {f"k{number:05}{end}": number for number in range(30_000) for end in ("", "x")}
    pins.see([tool(**every)], complete=True)
    began = time.process_time()
    assert '"k00001x": 1' in pins.difference()
    assert time.process_time() - began < 5
