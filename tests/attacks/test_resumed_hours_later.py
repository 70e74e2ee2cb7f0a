"""A kept run is gone on with once more, hours after its approval was used."""

from __future__ import annotations

import pytest

from oneact.agent import Agent
from tests.agent.integrations import frameworks
from tests.agent.stage import Stage, agent, flight, stage

__all__ = ["agent", "stage"]


@pytest.mark.parametrize("name", frameworks.ALL)
async def test_a_yes_that_was_used_does_not_work_again_and_is_not_asked_for_again(
    stage: Stage, agent: Agent, name: str
) -> None:
    framework, before = frameworks.ALL[name], stage.booked()
    [tool] = await agent.tools(stage.air, only=["book_flight"])
    kept = await framework.begin(tool, f"used-{name}", flight())
    again = framework.edited(kept, "no such text", "")
    async with stage.approving():
        assert "reference" in await framework.resume(tool, kept)
    stage.server.execute("UPDATE requests SET token_exp = 1, approved_until = 1, expires_at = 1")
    asked = stage.asked()
    if name != "langgraph":  # whose checkpoints know that the run has ended
        assert "was executed before" in await framework.resume(tool, again)
    else:
        called = await tool.call(flight(), key=frameworks.key_of_thread(f"used-{name}"))
        assert "was executed before" in called.text
    assert (stage.booked(), stage.asked()) == (before + 1, asked)


@pytest.mark.parametrize("name", frameworks.ALL)
async def test_a_yes_that_nobody_came_for_in_time_does_not_work_later(stage: Stage, agent: Agent, name: str) -> None:
    framework, before = frameworks.ALL[name], stage.booked()
    [tool] = await agent.tools(stage.air, only=["book_flight"])
    kept = await framework.begin(tool, f"late-{name}", flight())
    stage.approve(*stage.pending())
    stage.server.execute("UPDATE requests SET approved_until = 1 WHERE state = 'approved'")
    assert "Nothing was done" in await framework.resume(tool, kept)
    assert stage.booked() == before
