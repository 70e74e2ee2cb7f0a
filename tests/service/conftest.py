"""Fixtures: an approval server's public face, an airline in each face of the guard, an agent that calls it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection
from tests.ports import free_port
from tests.service.airline import FACES, Airline
from tests.service.bank import Bank
from tests.service.banking import World, there
from tests.service.django_desk import Desk, rows
from tests.service.serving import serving
from tests.service.world import ApprovalServer, Caller, calling, link, served


@pytest.fixture
def server() -> Iterator[ApprovalServer]:
    port = free_port()
    found = ApprovalServer(f"http://localhost:{port}")
    with served(found, port):
        yield found


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


@pytest.fixture
async def world(server: ApprovalServer, tmp_path: Path) -> AsyncIterator[World]:
    async with there("sqlite3", tmp_path, server) as found:
        yield found


@pytest.fixture
def bank(world: World) -> Iterator[Bank]:
    """A bank over sqlite3 in this process."""
    found = Bank("sqlite3", world.port, world.server.issuer, world.folder, 2)
    with served(found.app, world.port):
        yield found


@pytest.fixture
async def still(world: World) -> AsyncIterator[Bank]:
    """A bank whose guard makes no rounds: its store is open, and whatever it does a test has it do."""
    found = Bank("sqlite3", world.port, world.server.issuer, world.folder, 2)
    await found.guard.store.open()
    yield found
    await found.guard.store.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A Django site, with a person whose account `ada` is linked, and an agent."""
    found = Desk(tmp_path)
    found.person.link(found.guard, "ada")
    yield found
    found.guard.stop_sync()


@pytest.fixture
def booked() -> Iterator[Callable[[], list[str]]]:
    """A table in the database of this thread, with what stands in it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE booked (txn TEXT)")
    yield lambda: rows("SELECT txn FROM booked")
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE booked")


@pytest.fixture
def atomic() -> Iterator[None]:
    """ATOMIC_REQUESTS, as a site sets it."""
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = False
