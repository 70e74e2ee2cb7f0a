"""A service never answers, so that what an agent's model wants done elsewhere at the same time is not asked about."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from oneact.agent import Agent
from tests.agent.stage import Stage, agent, flight, stage
from tests.ports import free_port
from tests.server.peers import Service
from tests.service.world import served

__all__ = ["agent", "stage"]


async def test_an_act_at_another_service_goes_its_way(stage: Stage, agent: Agent) -> None:
    port, asked, before = free_port(), asyncio.Event(), stage.booked()
    service, loop = Service(f"http://localhost:{port}"), asyncio.get_running_loop()

    async def never(request: Request) -> Response:
        loop.call_soon_threadsafe(asked.set)
        await request.body()
        while (await request.receive())["type"] != "http.disconnect":
            pass
        return Response()

    silent = Route("/oneact/act", never, methods=["POST"])
    with served(Starlette(routes=[silent, Mount("/", service.app())]), port):
        [slow] = await agent.tools(service.url, only=["book_flight"])
        [book] = await agent.tools(stage.air, only=["book_flight"])
        hanging = asyncio.ensure_future(slow.call(flight()))
        await asyncio.wait_for(asked.wait(), 10)
        async with stage.approving():
            found = await asyncio.wait_for(book.call(flight("BOS")), 15)
        assert (found.failed, hanging.done(), stage.booked()) == (False, False, before + 1)
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)
