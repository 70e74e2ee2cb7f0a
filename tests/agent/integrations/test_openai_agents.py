"""Agents of the OpenAI Agents SDK, with a scripted model, against the real approval server and the airline."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import agents
import pytest
from agents import ModelResponse, RunConfig, Runner, RunState, Usage
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from oneact.agent import Agent, Unreachable
from oneact.agent.integrations import openai_agents
from tests.agent.integrations.linked import agent
from tests.agent.stage import Stage, flight, stage
from tests.ports import free_port

__all__ = ["agent", "stage"]
BOOK = "book_flight"
CONFIG = RunConfig(tracing_disabled=True)


class Scripted(agents.Model):
    """A model that calls what it is told to, then says what the tools have answered."""

    def __init__(self, *calls: tuple[str, dict[str, Any]]) -> None:
        self.calls, self.name = calls, BOOK
        self.answers: list[str] = []

    async def get_response(self, *_: Any, **given: Any) -> ModelResponse:
        self.answers = [item["output"] for item in given["input"] if isinstance(item, dict) and "output" in item]
        if self.answers:
            text = ResponseOutputText(text="done", type="output_text", annotations=[])
            output: list[Any] = [
                ResponseOutputMessage(id="m", content=[text], role="assistant", status="completed", type="message")
            ]
        else:
            output = [
                ResponseFunctionToolCall(
                    call_id=call, name=self.name, arguments=json.dumps(given), type="function_call"
                )
                for call, given in self.calls
            ]
        return ModelResponse(output=output, usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


async def made(stage: Stage, agent: Agent, model: Scripted, **options: Any) -> agents.Agent[Any]:
    tools: list[Any] = [*openai_agents.tools(await agent.tools(stage.air, only=[BOOK]), **options)]
    return agents.Agent("planner", model=model, tools=tools)


async def test_an_approved_call_is_executed_once(stage: Stage, agent: Agent) -> None:
    model, before = Scripted(("call-1", flight())), stage.booked()
    async with stage.approving():
        await Runner.run(await made(stage, agent, model), "Book it", run_config=CONFIG)
    assert "reference" in model.answers[0]
    assert stage.booked() == before + 1


async def test_a_no_reaches_the_model_in_the_persons_words(stage: Stage, agent: Agent) -> None:
    model, before = Scripted(("call-1", flight())), stage.booked()
    async with stage.denying("Too dear for me"):
        await Runner.run(await made(stage, agent, model), "Book it", run_config=CONFIG)
    assert "Too dear for me" in model.answers[0]
    assert stage.booked() == before


async def test_a_run_kept_as_json_goes_on_with_the_same_requests(stage: Stage, agent: Agent) -> None:
    model = Scripted(("kept-1", flight("OSL")), ("kept-2", flight("RIX")))
    before, asked = stage.booked(), stage.asked()
    planner = await made(stage, agent, model, interrupts=True)
    ended = await Runner.run(planner, "Book it", run_config=CONFIG)
    assert len(ended.interruptions) == 2
    [[batches]] = stage.server.execute("SELECT count(DISTINCT batch_id) FROM requests WHERE state = 'pending'")
    assert batches == 1
    kept = json.dumps(ended.to_state().to_json())
    assert stage.booked() == before
    async with await Agent.open(stage.server.url, key_file=stage.key_file) as another:
        planner = await made(stage, another, model, interrupts=True)
        state = await RunState.from_json(planner, json.loads(kept))
        for item in state.get_interruptions():
            state.approve(item)
        async with stage.approving(2):
            await Runner.run(planner, state, run_config=CONFIG)
    assert len(model.answers) == 2
    assert (stage.booked(), stage.asked()) == (before + 2, asked + 2)


async def test_racing_resumes_execute_once(stage: Stage, agent: Agent) -> None:
    model = Scripted(("raced", flight("VIE")))
    planner = await made(stage, agent, model, interrupts=True)
    before, ended = stage.booked(), await Runner.run(planner, "Book it", run_config=CONFIG)
    kept = ended.to_state().to_json()

    async def resume() -> str:
        own = Scripted()
        planner = await made(stage, agent, own, interrupts=True)
        state = await RunState.from_json(planner, json.loads(json.dumps(kept)))
        state.approve(state.get_interruptions()[0])
        await Runner.run(planner, state, run_config=CONFIG)
        return own.answers[0]

    async with stage.approving():
        found = await asyncio.gather(*(resume() for _ in range(4)))
    assert len(set(found)) == 1
    assert "reference" in found[0]
    assert stage.booked() == before + 1


async def test_an_outage_raises(stage: Stage, agent: Agent) -> None:
    [tool] = await agent.tools(stage.air, only=[BOOK])
    gone = replace(tool, service=f"http://localhost:{free_port()}")
    planner = agents.Agent("planner", model=Scripted(("call-1", flight())), tools=[*openai_agents.tools([gone])])
    with pytest.raises(agents.UserError) as raised:
        await Runner.run(planner, "Book it", run_config=CONFIG)
    assert isinstance(raised.value.__cause__, Unreachable)


async def test_arguments_that_are_no_strict_json_are_refused_to_the_model(stage: Stage, agent: Agent) -> None:
    [tool] = openai_agents.tools(await agent.tools(stage.air, only=[BOOK]))
    said = await tool.on_invoke_tool(None, '{"to": "NYC", "to": "LAX"}')  # type: ignore[arg-type]
    assert "json_duplicate_key" in said


async def test_an_own_tool_runs_once_with_what_was_shown_also_after_its_state_was_kept(
    stage: Stage, agent: Agent
) -> None:
    ran: list[tuple[str, int]] = []

    @agents.function_tool(strict_mode=False)
    async def send(to: str, copies: int = 2) -> str:
        """Send a message."""
        ran.append((to, copies))
        return f"sent to {to}"

    model = Scripted(("own-1", {"to": "ada@example"}))
    model.name = "send"
    planner = agents.Agent("planner", model=model, tools=[openai_agents.approved(agent, send, interrupts=True)])
    async with stage.deciding(lambda _: None):  # the functions are linked and the question is there
        ended = await Runner.run(planner, "Send it", run_config=CONFIG)
    state = await RunState.from_json(planner, json.loads(json.dumps(ended.to_state().to_json())))
    state.approve(state.get_interruptions()[0])
    assert '"copies": 2' in json.dumps(json.loads(stage.act(stage.pending()[0])))
    async with stage.approving():
        await Runner.run(planner, state, run_config=CONFIG)
    assert (ran, model.answers) == ([("ada@example", 2)], ["sent to ada@example"])


async def test_a_number_with_a_fraction_reaches_an_own_tool_as_it_was_shown(stage: Stage, agent: Agent) -> None:
    ran: list[float] = []

    @agents.function_tool
    async def pour(litres: float) -> str:
        """Pour."""
        ran.append(litres)
        return "poured"

    model = Scripted(("own-3", {"litres": 0.75}))
    model.name = "pour"
    planner = agents.Agent("planner", model=model, tools=[openai_agents.approved(agent, pour)])
    shown: list[str] = []

    def decide(found: list[str]) -> None:
        shown.extend(map(stage.act, found))
        stage.approve(*found)

    async with stage.deciding(decide):
        await Runner.run(planner, "Pour it", run_config=CONFIG)
    assert (ran, model.answers) == ([0.75], ["poured"])
    assert json.loads(shown[0])["parameters"] == {"litres": "0.75"}


async def test_an_own_tools_denial_is_told_to_the_model(stage: Stage, agent: Agent) -> None:
    @agents.function_tool
    async def wipe(folder: str) -> str:
        """Wipe a folder."""
        raise AssertionError(folder)

    model = Scripted(("own-2", {"folder": "/"}))
    model.name = "wipe"
    planner = agents.Agent("planner", model=model, tools=[openai_agents.approved(agent, wipe)])
    async with stage.denying("Never"):
        await Runner.run(planner, "Wipe it", run_config=CONFIG)
    assert "Never" in model.answers[0]
