from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows.test_whole import RealClock
from tests.mcp.judge import SUITES, Verdict, judged, served
from tests.server.peers import RunningServer, running_server
from tests.server.visitor import Visitor


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("server"), clock=RealClock()) as running:
        yield running


@pytest.fixture(scope="module")
def person(server: RunningServer) -> Visitor:
    return Visitor(server).sign_up()


@pytest.fixture(scope="module", params=SUITES)
def revision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def plain(revision: str, tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    """Give what the runner says of the server without anything in front of it."""
    folder = tmp_path_factory.mktemp("plain")
    with served(folder, "tests.mcp.plain") as url:
        return judged(url, revision, folder)
