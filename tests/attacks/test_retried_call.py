"""A framework tries a call again that has failed: its person is not asked anew, and nothing runs a second time."""

from __future__ import annotations

import asyncio

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ToolRetryMiddleware
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import RetryPolicy

from oneact.agent import Agent, OutcomeUnknown
from oneact.agent.integrations import langchain
from tests.agent.integrations import test_langchain
from tests.agent.integrations.linked import agent
from tests.agent.stage import Stage, stage

__all__ = ["agent", "stage"]
CALL = {"name": "send", "args": {"to": "ada@example"}}


class Sending:
    """A tool that fails after it has done its work."""

    def __init__(self) -> None:
        self.ran: list[str] = []

        @tool
        def send(to: str) -> str:
            """Send."""
            self.ran.append(to)
            raise ConnectionError(to)

        self.tool = send


async def test_langchains_retrying_middleware_runs_it_once(stage: Stage, agent: Agent) -> None:
    sending, asked = Sending(), stage.asked()
    middleware = [ToolRetryMiddleware(max_retries=2, initial_delay=0.0), langchain.Approving(agent)]
    graph = create_agent(test_langchain.Scripted(calls=[CALL]), [sending.tool], middleware=middleware)
    async with stage.approving():
        ended = await asyncio.wait_for(graph.ainvoke(test_langchain.ASK), 30)
    assert [answer.status for answer in test_langchain.answers(ended)] == ["error"]
    assert (sending.ran, stage.asked()) == (["ada@example"], asked + 1)


async def test_langgraphs_retry_policy_runs_it_once(stage: Stage, agent: Agent) -> None:
    sending, asked = Sending(), stage.asked()
    graph = StateGraph(MessagesState)
    node = ToolNode([sending.tool], awrap_tool_call=langchain.Approving(agent).awrap_tool_call)
    graph.add_node("tools", node, retry_policy=RetryPolicy(initial_interval=0.01, retry_on=Exception))
    graph.set_entry_point("tools")
    message = AIMessage("", tool_calls=[{**CALL, "id": "c", "type": "tool_call"}])  # type: ignore[list-item]
    async with stage.approving():
        with pytest.raises(OutcomeUnknown):
            await asyncio.wait_for(graph.compile().ainvoke({"messages": [message]}), 30)
    assert (sending.ran, stage.asked()) == (["ada@example"], asked + 1)
