"""Reads as tools: a person opens them once, whichever a model calls first, and however many at once."""

from __future__ import annotations

import asyncio

import pytest

from oneact.agent import Agent
from tests.flows.test_reading import agent, decide, person, server, travel
from tests.server.visitor import Visitor
from tests.service.reading import Travel

__all__ = ["agent", "person", "server", "travel"]


@pytest.mark.parametrize("travel", ["asgi"], indirect=True)
async def test_reads_that_a_model_calls_at_once_are_opened_by_one_yes(
    agent: Agent, travel: Travel, person: Visitor
) -> None:
    tools = {tool.name: tool for tool in await agent.tools(travel.resource)}
    assert tools["bookings"].schema["required"] == ["reference"]
    deciding = asyncio.create_task(asyncio.to_thread(decide, person, approve=True))
    found = await asyncio.gather(tools["itineraries"](to="NYC"), tools["bookings"](reference="B-1"))
    await deciding
    assert '"NYC"' in found[0]
    assert '"B-1"' in found[1]
    assert len(person.server.execute("SELECT id FROM read_sessions")) == 1
    assert [tool.published for tool in await agent.tools(travel.resource, reads=False)] == ["book"]


@pytest.mark.parametrize("travel", ["asgi"], indirect=True)
async def test_a_no_to_reading_is_told_in_words(agent: Agent, travel: Travel, person: Visitor) -> None:
    [tool] = await agent.tools(travel.resource, only=["itineraries"])
    deciding = asyncio.create_task(asyncio.to_thread(decide, person, approve=False))
    found = await tool.call({"to": "NYC"})
    await deciding
    assert (found.failed, "said no: No" in found.text) == (True, True)
