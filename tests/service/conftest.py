"""Fixtures: an approval server's public face, an airline in each face of the guard, an agent that calls it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.service.airline import FACES, Airline
from tests.service.serving import serving
from tests.service.world import ApprovalServer, Caller, calling, free_port, served

from oneact.service.store.contract import Link
from oneact.service.store.sqlite import SqliteStore


@pytest.fixture
def server() -> Iterator[ApprovalServer]:
    port = free_port()
    found = ApprovalServer(f"http://localhost:{port}")
    with served(found, port):
        yield found


async def link(folder: Path, resource: str, server: ApprovalServer, account: str = "alice") -> None:
    """Link the person to a local account, as the link page would."""
    store = SqliteStore(folder / "air.db")
    await store.open()
    assert await store.link(Link(account, server.person.roster(resource), 1))
    await store.close()


@pytest.fixture(params=FACES)
def airline(request: pytest.FixtureRequest, server: ApprovalServer, tmp_path: Path) -> Iterator[Airline]:
    """An airline whose account `alice` is linked to the person."""
    port = free_port()
    found = Airline(request.param, port, server.issuer, tmp_path, deadline=2)
    asyncio.run(link(tmp_path, found.resource, server))
    with serving(found, port):
        yield found


@pytest.fixture
async def caller(server: ApprovalServer, airline: Airline) -> AsyncIterator[Caller]:
    async with calling(server, airline.resource) as found:
        yield found
