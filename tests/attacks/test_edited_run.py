"""The arguments of a call are changed in what is kept of a run, after the person was asked."""

from __future__ import annotations

from typing import Any

import pytest
from agents.exceptions import ModelBehaviorError

from oneact.agent import Agent
from tests.agent.integrations import frameworks
from tests.agent.stage import Stage, agent, flight, stage

__all__ = ["agent", "stage"]


@pytest.mark.parametrize("name", frameworks.ALL)
async def test_a_run_whose_arguments_were_changed_is_not_gone_on_with(stage: Stage, agent: Agent, name: str) -> None:
    framework, before = frameworks.ALL[name], stage.booked()
    [tool] = await agent.tools(stage.air, only=["book_flight"])
    kept: Any = await framework.begin(tool, "edited", flight("XNA"))
    [identifier] = stage.pending()
    stage.approve(identifier)
    try:
        told = await framework.resume(tool, framework.edited(kept, "XNA", "XNB"))
    except ModelBehaviorError:  # the OpenAI SDK itself holds a call against what it has kept of it
        assert name == "openai"
    else:
        assert "begun with other arguments" in told
    assert (stage.booked(), stage.pending()) == (before, [])
