"""An argument that several hold is changed while the person decides."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import tool as langchain_tool
from langgraph.graph import MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from oneact.agent import Agent, Refused
from oneact.agent.integrations import langchain
from tests.agent.integrations.linked import agent
from tests.agent.stage import Stage, flight, stage

__all__ = ["agent", "stage"]


async def test_parameters_that_the_agents_author_changes_are_not_executed(stage: Stage, agent: Agent) -> None:
    before, meant = stage.booked(), flight("NYC")

    def decide(found: list[str]) -> None:
        meant["to"] = "LAX"
        stage.approve(*found)

    async with stage.deciding(decide):
        with pytest.raises(Refused) as refused:
            await agent.act(stage.air, "book_flight", meant)
    assert (refused.value.reason, stage.booked()) == ("act_mismatch", before)


async def test_a_functions_argument_that_is_changed_runs_neither_way(stage: Stage, agent: Agent) -> None:
    ran, to = [], ["ada@example"]

    @agent.approved()
    def send(to: list[str]) -> None:
        ran.append(to)

    def decide(found: list[str]) -> None:
        to.append("eve@example")
        stage.approve(*found)

    async with stage.deciding(decide):
        with pytest.raises(Refused) as refused:
            await send(to)
    assert (refused.value.reason, ran) == ("act_mismatch", [])


async def test_a_message_that_is_changed_in_langgraphs_state_runs_neither_way(stage: Stage, agent: Agent) -> None:
    ran: list[Any] = []

    @langchain_tool
    def send(to: list[str]) -> str:
        """Send."""
        ran.append(to)
        return "sent"

    call: Any = {"name": "send", "args": {"to": ["ada@example"]}, "id": "c", "type": "tool_call"}
    message = AIMessage("", tool_calls=[call])
    node = ToolNode([send], awrap_tool_call=langchain.Approving(agent).awrap_tool_call)
    graph = StateGraph(MessagesState)
    graph.add_node("tools", node)
    graph.set_entry_point("tools")

    def decide(found: list[str]) -> None:
        for held in (message.tool_calls[0], call):
            held["args"]["to"][:] = ["eve@example"]
        stage.approve(*found)

    async with stage.deciding(decide):
        ended = await graph.compile().ainvoke({"messages": [message]})
    assert ran in ([], [["ada@example"]])  # refused, or the copy that was approved; never the other
    assert ended["messages"][-1].status == ("success" if ran else "error")
