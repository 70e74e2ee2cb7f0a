"""Agents of LangChain and LangGraph, with a scripted model, against the real approval server and the airline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from oneact.agent import Agent, Unreachable
from oneact.agent.integrations import langchain
from tests.agent.stage import Stage, agent, flight, stage
from tests.ports import free_port

__all__ = ["agent", "stage"]

BOOK = "book_flight"


class Scripted(BaseChatModel):
    """A model that calls what it is told to, then says what the tools have answered."""

    calls: list[dict[str, Any]]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, _tools: Any, **_: Any) -> Scripted:
        return self

    def _generate(self, messages: Any, *_: Any, **__: Any) -> ChatResult:
        if isinstance(messages[-1], ToolMessage):
            message = AIMessage("done")
        else:
            calls = [{"id": f"call-{n}", "type": "tool_call", **call} for n, call in enumerate(self.calls)]
            message = AIMessage("", tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=message)])


def call(to: str = "NYC", name: str = BOOK, **more: Any) -> dict[str, Any]:
    return {"name": name, "args": flight(to, **more)}


def answers(ended: dict[str, Any]) -> list[ToolMessage]:
    return [message for message in ended["messages"] if isinstance(message, ToolMessage)]


ASK = {"messages": [("user", "Book it")]}


async def test_a_service_is_tools_and_an_approved_call_is_executed_once(stage: Stage, agent: Agent) -> None:
    tools = langchain.tools(await agent.tools(stage.air))
    assert {BOOK, "cancel_flight"} <= {tool.name for tool in tools}
    assert not any("unlink" in tool.name for tool in tools)
    before = stage.booked()
    async with stage.approving():
        ended = await create_agent(Scripted(calls=[call()]), tools).ainvoke(ASK)
    [answer] = answers(ended)
    assert (answer.status, stage.booked()) == ("success", before + 1)
    assert "reference" in str(answer.content)


async def test_a_no_reaches_the_model_in_the_persons_words(stage: Stage, agent: Agent) -> None:
    tools = langchain.tools(await agent.tools(stage.air))
    before = stage.booked()
    async with stage.denying("Too dear for me"):
        ended = await create_agent(Scripted(calls=[call()]), tools).ainvoke(ASK)
    [answer] = answers(ended)
    assert answer.status == "error"
    assert "Too dear for me" in str(answer.content)
    assert stage.booked() == before


async def test_calls_of_one_turn_are_one_page(stage: Stage, agent: Agent) -> None:
    tools = langchain.tools(await agent.tools(stage.air))

    def decide(found: list[str]) -> None:
        [[batches]] = stage.server.execute("SELECT count(DISTINCT batch_id) FROM requests WHERE state = 'pending'")
        assert batches == 1
        stage.approve(*found)

    async with stage.deciding(decide, 2):
        ended = await create_agent(Scripted(calls=[call("LAX"), call("BOS")]), tools).ainvoke(ASK)
    assert [answer.status for answer in answers(ended)] == ["success", "success"]


async def test_an_interrupted_run_goes_on_with_the_same_request(stage: Stage, agent: Agent) -> None:
    tools = langchain.tools(await agent.tools(stage.air), interrupts=True)
    graph = create_agent(Scripted(calls=[call("OSL"), call("RIX")]), tools, checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "resumed"}}
    before, asked = stage.booked(), stage.asked()
    ended = await graph.ainvoke(ASK, thread)
    assert [each.value["oneact"] for each in ended["__interrupt__"]] == ["approval", "approval"]
    assert all(each.value["page"].startswith(stage.server.url) for each in ended["__interrupt__"])
    assert stage.booked() == before
    resume = Command(resume={each.id: True for each in ended["__interrupt__"]})
    async with stage.approving(2):
        ended = await graph.ainvoke(resume, thread)
    assert [answer.status for answer in answers(ended)] == ["success", "success"]
    assert (stage.booked(), stage.asked()) == (before + 2, asked + 2)


async def test_an_outage_raises(stage: Stage, agent: Agent) -> None:
    [tool] = await agent.tools(stage.air, only=[BOOK])
    tools = langchain.tools([replace(tool, service=f"http://localhost:{free_port()}")])
    with pytest.raises(Unreachable):
        await create_agent(Scripted(calls=[call()]), tools).ainvoke(ASK)
