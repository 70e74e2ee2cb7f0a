from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.test_whole import RealClock
from tests.gateway.playing import MODES, Play
from tests.server.peers import running_server
from tests.server.visitor import Visitor


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    (tmp_path / "server").mkdir()
    with running_server(tmp_path / "server", clock=RealClock()) as server:
        yield Play(tmp_path, server, Visitor(server).sign_up())
    pid = tmp_path / "home" / "approve" / "pid"
    if pid.exists():  # the person's own approval server outlives the proxies
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid.read_text()), signal.SIGKILL)


@pytest.fixture(params=MODES)
def either(request: pytest.FixtureRequest, play: Play) -> Play:
    """The same with clients of the older and of the newer revision."""
    play.mode = request.param
    return play
