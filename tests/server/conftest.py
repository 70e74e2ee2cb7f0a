from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ports import free_port
from tests.server.peers import Agent, Person, RunningServer, Service, running_server, serving

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
