from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ports import free_port
from tests.server.peers import Agent, Person, RunningServer, Service, running_server, serving
from tests.server.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(tmp_path) as running:
        yield running


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service(f"http://localhost:{free_port()}")
    with serving(found.app(), int(found.url.rpartition(":")[2])):
        yield found


@pytest.fixture
def person(server: RunningServer) -> Person:
    return Person(server)


@pytest.fixture
def agent(server: RunningServer, person: Person) -> Agent:
    found = Agent(server)
    found.register()
    person.pair(found)
    return found


@pytest.fixture
def visitor(server: RunningServer, service: Service, agent: Agent) -> Visitor:
    """A person in a browser whose account is linked to the service and paired with the agent."""
    found = Visitor(server).sign_up()
    found.link(service)
    found.pair(agent)
    return found
