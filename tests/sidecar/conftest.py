"""The Express example behind its sidecar, as two processes, with the account `alice` linked to the person."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.service.conftest import server
from tests.service.world import ApprovalServer, Caller, calling
from tests.sidecar.running import Place, asking, express, settle_in, sidecar

__all__ = ["server"]


@pytest.fixture
async def place(server: ApprovalServer, tmp_path: Path) -> Place:
    return await settle_in(tmp_path, server)


@pytest.fixture
def express_service(place: Place) -> Iterator[Place]:
    """The running service; its address is `resource`."""
    with sidecar(place), express(place):
        yield place


@pytest.fixture
async def caller(server: ApprovalServer, express_service: Place) -> AsyncIterator[Caller]:
    async with calling(server, express_service.resource) as found:
        yield found


@pytest.fixture
async def private(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    """The private API of a running sidecar, as the service asks it."""
    with sidecar(place):
        async with asking(place) as client:
            yield client
