"""Agents of pydantic-ai, with a scripted model, against the real approval server and the airline."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import date
from typing import Any

import pydantic_ai
import pytest
from pydantic import BaseModel
from pydantic_ai import DeferredToolRequests, DeferredToolResults
from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.toolsets import FunctionToolset

from oneact.agent import Agent, Unreachable
from oneact.agent.integrations import pydantic_ai as adapter
from tests.agent.integrations.linked import agent
from tests.agent.stage import Stage, flight, stage
from tests.ports import free_port

__all__ = ["agent", "stage"]
BOOK = "book_flight"


def planner(
    tools: list[Any], answers: list[Any], *calls: tuple[str, dict[str, Any]], name: str = BOOK, **options: Any
) -> pydantic_ai.Agent[None, Any]:
    """Make an agent whose model calls what it is told to, and notes what the tools have answered."""

    def script(messages: Any, _: Any) -> ModelResponse:
        found = [part for part in messages[-1].parts if part.part_kind == "tool-return"]
        answers[:] = found or answers
        if found:
            return ModelResponse([TextPart("done")])
        return ModelResponse([ToolCallPart(name, given, tool_call_id=call) for call, given in calls])

    output: Any = [str, DeferredToolRequests]
    return pydantic_ai.Agent(FunctionModel(script), tools=tools, output_type=output, **options)


async def test_an_approved_call_is_executed_once(stage: Stage, agent: Agent) -> None:
    tools, answers = adapter.tools(await agent.tools(stage.air, only=[BOOK])), []
    before = stage.booked()
    async with stage.approving():
        await planner(tools, answers, ("call-1", flight())).run("Book it")
    assert "reference" in answers[0].content
    assert (answers[0].outcome, stage.booked()) == ("success", before + 1)


async def test_a_no_reaches_the_model_in_the_persons_words(stage: Stage, agent: Agent) -> None:
    tools, answers = adapter.tools(await agent.tools(stage.air, only=[BOOK])), []
    before = stage.booked()
    async with stage.denying("Too dear for me"):
        await planner(tools, answers, ("call-1", flight())).run("Book it")
    assert "Too dear for me" in str(answers[0].content)
    assert (answers[0].outcome, stage.booked()) == ("failed", before)


async def test_a_deferred_run_goes_on_with_the_same_requests(stage: Stage, agent: Agent) -> None:
    calls = ("kept-1", flight("OSL")), ("kept-2", flight("RIX"))
    tools, answers = adapter.tools(await agent.tools(stage.air, only=[BOOK]), interrupts=True), []
    before, asked = stage.booked(), stage.asked()
    ended = await planner(tools, answers, *calls).run("Book it")
    assert [call.tool_call_id for call in ended.output.approvals] == ["kept-1", "kept-2"]
    assert all(each["page"].startswith(stage.server.url) for each in ended.output.metadata.values())
    [[batches]] = stage.server.execute("SELECT count(DISTINCT batch_id) FROM requests WHERE state = 'pending'")
    assert (batches, stage.booked()) == (1, before)
    history = ModelMessagesTypeAdapter.validate_json(ended.all_messages_json())
    results = DeferredToolResults(approvals={"kept-1": True, "kept-2": True})
    async with await Agent.open(stage.server.url, key_file=stage.key_file) as another:
        tools = adapter.tools(await another.tools(stage.air, only=[BOOK]), interrupts=True)
        async with stage.approving(2):
            await planner(tools, answers).run(message_history=history, deferred_tool_results=results)
    assert [each.outcome for each in answers] == ["success", "success"]
    assert (stage.booked(), stage.asked()) == (before + 2, asked + 2)


async def test_racing_resumes_execute_once(stage: Stage, agent: Agent) -> None:
    tools = adapter.tools(await agent.tools(stage.air, only=[BOOK]), interrupts=True)
    before = stage.booked()
    history = (await planner(tools, [], ("raced", flight("VIE"))).run("Book it")).all_messages_json()

    async def resume() -> str:
        answers: list[Any] = []
        read = ModelMessagesTypeAdapter.validate_json(history)
        results = DeferredToolResults(approvals={"raced": True})
        await planner(tools, answers).run(message_history=read, deferred_tool_results=results)
        return str(answers[0].content)

    async with stage.approving():
        found = await asyncio.gather(*(resume() for _ in range(4)))
    assert len(set(found)) == 1
    assert stage.booked() == before + 1


async def test_an_outage_raises(stage: Stage, agent: Agent) -> None:
    [tool] = await agent.tools(stage.air, only=[BOOK])
    gone = replace(tool, service=f"http://localhost:{free_port()}")
    with pytest.raises(Unreachable):
        await planner(adapter.tools([gone]), [], ("call-1", flight())).run("Book it")


class Mail(BaseModel):
    to: str
    on: date = date(2024, 3, 1)


async def test_an_own_tool_runs_once_with_the_validated_arguments_that_were_shown(stage: Stage, agent: Agent) -> None:
    ran: list[Mail] = []

    def send(mail: Mail, copies: int = 2) -> str:
        ran.append(mail)
        return f"{copies} sent to {mail.to}"

    answers: list[Any] = []
    approving = adapter.Approving(FunctionToolset([send]), agent=agent, interrupts=True)
    own = planner([], answers, ("own-1", {"mail": {"to": "ada@example"}}), name="send", toolsets=[approving])
    ended = await own.run("Send it")
    [identifier] = stage.pending()
    shown = json.loads(stage.act(identifier))["parameters"]
    assert shown == {"mail": {"to": "ada@example", "on": "2024-03-01"}, "copies": 2}
    results = DeferredToolResults(approvals={"own-1": True})
    async with stage.approving():
        await own.run(message_history=ended.all_messages(), deferred_tool_results=results)
    assert (ran, answers[0].content) == ([Mail(to="ada@example")], "2 sent to ada@example")


async def test_an_own_tools_denial_is_told_to_the_model_and_an_allowed_one_is_not_asked_about(
    stage: Stage, agent: Agent
) -> None:
    def wipe(folder: str) -> str:
        return f"{folder} is wiped"

    answers: list[Any] = []
    async with stage.denying("Never"):
        toolset = adapter.Approving(FunctionToolset([wipe]), agent=agent)
        await planner([], answers, ("own-2", {"folder": "/"}), name="wipe", toolsets=[toolset]).run("Wipe it")
    assert "Never" in str(answers[0].content)
    toolset = adapter.Approving(FunctionToolset([wipe]), agent=agent, allowed=["wipe"])
    await planner([], answers, ("own-3", {"folder": "/"}), name="wipe", toolsets=[toolset]).run("Wipe it")
    assert answers[0].content == "/ is wiped"
