"""The stages on which attacks are played: a guarded airline, and a whole approval server with its person."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from oneact.gateway.mcp.door import Door
from tests.forms.conftest import ada, air, browser
from tests.ports import free_port
from tests.server.peers import Agent, RunningServer, Service, running_server, serving
from tests.server.visitor import Visitor
from tests.service.conftest import airline, caller, server
from tests.service.mcp.conftest import keyed, keyed_shelf, revision

__all__ = ["ada", "air", "airline", "browser", "caller", "keyed", "keyed_shelf", "revision", "server"]


@pytest.fixture
def approval(tmp_path: Path) -> Iterator[RunningServer]:
    """An approval server over real HTTP, whose clock the test moves."""
    with running_server(tmp_path) as running:
        yield running


@pytest.fixture
def shop() -> Iterator[Service]:
    """A service that publishes itself."""
    found = Service(f"http://localhost:{free_port()}")
    with serving(found.app(), int(found.url.rpartition(":")[2])):
        yield found


@pytest.fixture
def visitor(approval: RunningServer) -> Visitor:
    """A person with an account."""
    return Visitor(approval).sign_up()


@pytest.fixture
def paired(approval: RunningServer, visitor: Visitor) -> Agent:
    """An agent paired with that person."""
    agent = Agent(approval)
    agent.register()
    visitor.pair(agent)
    return agent


@pytest.fixture
def start() -> Iterator[str]:
    """Give the address at which a proxy's person begins; it signs in once."""
    port = free_port()
    door = Door(f"http://localhost:{port}", port, "notes", lambda: int(time.time()))
    with serving(door, port):
        yield door.start_link()
