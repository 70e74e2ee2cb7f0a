"""A function is called by position: the person must not be shown `{}` while something runs."""

from __future__ import annotations

import json

import pytest

from oneact.agent import Agent
from tests.agent.integrations.linked import agent
from tests.agent.stage import Stage, stage

__all__ = ["agent", "stage"]


@pytest.mark.parametrize("given", [("/home",), ()])
async def test_arguments_given_by_position_and_those_left_out_are_shown_by_name(
    stage: Stage, agent: Agent, given: tuple[str, ...]
) -> None:
    ran: list[tuple[str, bool]] = []

    @agent.approved()
    def wipe(folder: str = "/", *, quietly: bool = True) -> None:
        ran.append((folder, quietly))

    def decide(found: list[str]) -> None:
        expected = {"folder": given[0] if given else "/", "quietly": True}
        assert json.loads(stage.act(found[0]))["parameters"] == expected
        page = stage.person.get(f"/requests/{found[0]}").text
        assert expected["folder"] in page
        assert "Quietly" in page
        stage.approve(*found)

    async with stage.deciding(decide):
        await wipe(*given)
    assert ran == [(given[0] if given else "/", True)]
