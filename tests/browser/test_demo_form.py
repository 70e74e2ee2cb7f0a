from __future__ import annotations

import os
import subprocess
import sys

from tests.ports import free_port
from tests.spec.literal import ROOT


def test_the_demo_of_forms_plays_to_its_end_by_itself() -> None:
    """A Chromium without script submits, another with a passkey decides; the exit status says whether it all held."""
    done = subprocess.run(
        [sys.executable, "-m", "examples.airline_form.demo"],
        cwd=ROOT, env={**os.environ, "AIRLINE_FORM_URL": f"http://localhost:{free_port()}", "HEADLESS": "1"},
        capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "holds 2 booking" in done.stdout
    assert "WRONG" not in done.stdout
