"""What a room of the package needs beside a plain installation."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("room", "module", "extra"), [("agent", "httpx", "agent"), ("embedded", "webauthn", "server")])
def test_a_room_whose_extra_is_not_installed_says_what_to_install(room: str, module: str, extra: str) -> None:
    script = f"import sys; sys.modules['{module}'] = None; import oneact.{room}"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].endswith(f'pip install "oneact[{extra}]"')
