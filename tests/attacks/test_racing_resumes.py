"""One kept run is gone on with by several at once."""

from __future__ import annotations

import asyncio

import pytest

from oneact.agent import Agent
from tests.agent.integrations import frameworks
from tests.agent.stage import Stage, agent, flight, stage

__all__ = ["agent", "stage"]


@pytest.mark.parametrize("name", frameworks.ALL)
async def test_racing_resumes_execute_once(stage: Stage, agent: Agent, name: str) -> None:
    framework, before = frameworks.ALL[name], stage.booked()
    [tool] = await agent.tools(stage.air, only=["book_flight"])
    kept = await framework.begin(tool, f"raced-{name}", flight())
    async with stage.approving():
        told = await asyncio.gather(*(framework.resume(tool, kept) for _ in range(4)))
    assert len(set(told)) == 1
    assert "reference" in told[0]
    assert stage.booked() == before + 1
