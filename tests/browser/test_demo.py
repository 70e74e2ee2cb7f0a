from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.spec.literal import ROOT


def test_the_demo_plays_to_its_end_by_itself() -> None:
    """The three processes of `make demo HEADLESS=1`; its exit status says whether the one booking stands."""
    done = subprocess.run(
        [sys.executable, "-m", "examples.airline.demo"],
        cwd=ROOT, env={**os.environ, "HEADLESS": "1"}, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    refused = set(re.findall(r"refused by check (\d+)", done.stdout, re.IGNORECASE))
    assert refused == {"6", "7", "10", "11"}
    assert "holds 1 booking" in done.stdout
