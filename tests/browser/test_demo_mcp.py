from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.ports import free_port
from tests.spec.literal import ROOT


def test_the_demo_of_mcp_plays_to_its_end_by_itself() -> None:
    """The npm filesystem server behind the proxy; the exit status says whether exactly what was approved is done."""
    done = subprocess.run(
        [sys.executable, "-m", "examples.mcp.demo"],
        cwd=ROOT, env={**os.environ, "ONEACT_APPROVE_PORT": str(free_port()), "HEADLESS": "1"},
        capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"from the command to the first approved call: \d+\.\d s", done.stdout)
    assert "WRONG" not in done.stdout
