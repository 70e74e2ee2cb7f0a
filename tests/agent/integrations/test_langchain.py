"""Agents of LangChain and LangGraph, with a scripted model, against the real approval server and the airline."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.prebuilt import InjectedState
from langgraph.types import Command
from pydantic import BaseModel, field_validator

from oneact.agent import Agent, Unreachable
from oneact.agent.integrations import langchain
from tests.agent.integrations.linked import agent
from tests.agent.stage import Stage, flight, stage
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
    [found] = await agent.tools(stage.air, only=[BOOK])
    tools = langchain.tools([replace(found, service=f"http://localhost:{free_port()}")])
    with pytest.raises(Unreachable):
        await create_agent(Scripted(calls=[call()]), tools).ainvoke(ASK)


async def test_an_own_tool_runs_once_with_the_validated_arguments_that_were_shown(stage: Stage, agent: Agent) -> None:
    ran: list[Any] = []

    @tool
    def send(to: str, copies: int = 1) -> str:
        """Send a message."""
        ran.append((to, copies))
        return f"sent to {to}"

    shown: list[str] = []

    def decide(found: list[str]) -> None:
        shown.append(stage.person.get(f"/requests/{found[0]}").text)
        stage.approve(*found)

    model = Scripted(calls=[{"name": "send", "args": {"to": "ada@example", "copies": "2"}}])
    async with stage.deciding(decide):
        ended = await create_agent(model, [send], middleware=[langchain.Approving(agent)]).ainvoke(ASK)
    assert [(answer.content, answer.status) for answer in answers(ended)] == [("sent to ada@example", "success")]
    assert ran == [("ada@example", 2)]
    assert "ada@example" in shown[0]
    assert "stops the model, not a hostile program" in shown[0]


async def test_an_own_tools_calls_are_one_page_denied_in_words_and_resumed(stage: Stage, agent: Agent) -> None:
    ran: list[str] = []

    @tool
    def wipe(folder: str) -> str:
        """Wipe a folder."""
        ran.append(folder)
        return "wiped"

    @tool
    def look(folder: str) -> str:
        """Look into a folder."""
        return f"{folder} is empty"

    calls = [
        {"name": name, "args": {"folder": folder}} for name, folder in (("wipe", "/a"), ("wipe", "/b"), ("look", "/"))
    ]
    middleware = [langchain.Approving(agent, allowed=["look"], interrupts=True)]
    graph = create_agent(Scripted(calls=calls), [wipe, look], middleware=middleware, checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "own"}}

    def decide(found: list[str]) -> None:
        assert len(found) == 2
        denied = next(
            each for each in found if "/b" in stage.person.get(f"/requests/{each}").text.partition("</dl>")[0]
        )
        stage.deny(denied, "Not that one")
        stage.approve(*(each for each in found if each != denied))

    asked = stage.asked()
    ended = await graph.ainvoke(ASK, thread)
    assert len(ended["__interrupt__"]) == 2
    async with stage.deciding(decide, 2):
        ended = await graph.ainvoke(Command(resume={each.id: 1 for each in ended["__interrupt__"]}), thread)
    found = {answer.tool_call_id: (answer.status, str(answer.content)) for answer in answers(ended)}
    assert found["call-2"] == ("success", "/ is empty")
    told = sorted(text for _, text in (found["call-0"], found["call-1"]))
    assert told[1] == "wiped"
    assert "Not that one" in told[0]
    assert (len(ran), stage.asked()) == (1, asked + 2)


async def test_arguments_that_a_tools_schema_refuses_are_not_asked_about(stage: Stage, agent: Agent) -> None:
    @tool
    def send(to: int) -> str:
        """Send."""
        return str(to)

    asked, model = stage.asked(), Scripted(calls=[{"name": "send", "args": {"to": "x"}}])
    ended = await create_agent(model, [send], middleware=[langchain.Approving(agent)]).ainvoke(ASK)
    assert [answer.status for answer in answers(ended)] == ["error"]
    assert stage.asked() == asked


async def test_validation_that_would_change_its_own_outcome_is_refused(stage: Stage, agent: Agent) -> None:
    class Growing(BaseModel):
        to: str

        @field_validator("to")
        @classmethod
        def longer(cls, value: str) -> str:
            return value + "!"

    @tool(args_schema=Growing)
    def send(to: str) -> str:
        """Send."""
        raise AssertionError(to)

    asked, model = stage.asked(), Scripted(calls=[{"name": "send", "args": {"to": "x"}}])
    ended = await create_agent(model, [send], middleware=[langchain.Approving(agent)]).ainvoke(ASK)
    [answer] = answers(ended)
    assert (answer.status, "parameters_invalid" in str(answer.content)) == ("error", True)
    assert stage.asked() == asked


async def test_what_is_injected_into_a_tool_is_neither_shown_nor_asked_about(stage: Stage, agent: Agent) -> None:
    ran: list[tuple[str, int]] = []

    @tool
    def send(to: str, state: Annotated[dict[str, Any], InjectedState]) -> str:
        """Send."""
        ran.append((to, len(state["messages"])))
        return "sent"

    def decide(found: list[str]) -> None:
        assert json.loads(stage.act(found[0]))["parameters"] == {"to": "x"}
        stage.approve(*found)

    model = Scripted(calls=[{"name": "send", "args": {"to": "x"}}])
    async with stage.deciding(decide):
        await create_agent(model, [send], middleware=[langchain.Approving(agent)]).ainvoke(ASK)
    assert ran == [("x", 2)]
