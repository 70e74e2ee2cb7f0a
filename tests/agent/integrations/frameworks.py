"""The three frameworks whose runs can be kept, behind one face, for what has to hold in all of them."""

from __future__ import annotations

import json
from typing import Any, Protocol

import agents
import pydantic_ai
from agents import Runner, RunState
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from pydantic_ai import DeferredToolResults
from pydantic_ai.messages import ModelMessagesTypeAdapter

from oneact.agent.integrations import Tool, langchain, openai_agents, wish
from oneact.agent.integrations import pydantic_ai as adapter
from tests.agent.integrations import test_langchain, test_openai_agents, test_pydantic_ai

BOOK = "book_flight"


class Framework(Protocol):
    """Runs one agent that calls `book_flight` once, by the name `call`."""

    async def run(self, tool: Tool, call: str, arguments: dict[str, Any]) -> str:
        """Run to the end; give what the model was told."""

    async def begin(self, tool: Tool, call: str, arguments: dict[str, Any]) -> Any:
        """Run until the person is asked; give what was kept of the run, as text where the framework allows."""

    async def resume(self, tool: Tool, kept: Any) -> str:
        """Go on with a run that was kept; give what the model was told."""

    def edited(self, kept: Any, old: str, new: str) -> Any:
        """Give what was kept with a text in it replaced."""


class LangGraph:
    def __init__(self) -> None:
        self._threads = 0

    def _graph(self, tool: Tool, saver: Any, calls: list[Any], *, interrupts: bool) -> Any:
        tools = langchain.tools([tool], interrupts=interrupts)
        return create_agent(test_langchain.Scripted(calls=calls), tools, checkpointer=saver)

    async def run(self, tool: Tool, call: str, arguments: dict[str, Any]) -> str:
        graph = self._graph(tool, None, [{"name": BOOK, "args": arguments, "id": call}], interrupts=False)
        return _last(await graph.ainvoke(test_langchain.ASK))

    async def begin(self, tool: Tool, call: str, arguments: dict[str, Any]) -> Any:
        saver = InMemorySaver()
        graph = self._graph(tool, saver, [{"name": BOOK, "args": arguments, "id": call}], interrupts=True)
        ended = await graph.ainvoke(test_langchain.ASK, _thread(call))
        assert ended["__interrupt__"]
        return saver, call

    async def resume(self, tool: Tool, kept: Any) -> str:
        saver, call = kept
        return _last(await self._graph(tool, saver, [], interrupts=True).ainvoke(Command(resume=True), _thread(call)))

    def edited(self, kept: Any, old: str, new: str) -> Any:
        saver, _ = kept
        for key, (kind, octets) in saver.blobs.items():
            saver.blobs[key] = (kind, octets.replace(old.encode(), new.encode()))
        for writes in saver.writes.values():
            for key, (task, channel, (kind, octets), path) in writes.items():
                writes[key] = (task, channel, (kind, octets.replace(old.encode(), new.encode())), path)
        return kept


class OpenAi:
    async def _agent(self, tool: Tool, model: Any, *, interrupts: bool) -> agents.Agent[Any]:
        tools: list[Any] = [*openai_agents.tools([tool], interrupts=interrupts)]
        return agents.Agent("planner", model=model, tools=tools)

    async def run(self, tool: Tool, call: str, arguments: dict[str, Any]) -> str:
        model = test_openai_agents.Scripted((call, arguments))
        planner = await self._agent(tool, model, interrupts=False)
        await Runner.run(planner, "Book it", run_config=test_openai_agents.CONFIG)
        return model.answers[0]

    async def begin(self, tool: Tool, call: str, arguments: dict[str, Any]) -> Any:
        model = test_openai_agents.Scripted((call, arguments))
        planner = await self._agent(tool, model, interrupts=True)
        ended = await Runner.run(planner, "Book it", run_config=test_openai_agents.CONFIG)
        assert ended.interruptions
        return json.dumps(ended.to_state().to_json())

    async def resume(self, tool: Tool, kept: Any) -> str:
        model = test_openai_agents.Scripted()
        planner = await self._agent(tool, model, interrupts=True)
        state = await RunState.from_json(planner, json.loads(kept))
        state.approve(state.get_interruptions()[0])
        await Runner.run(planner, state, run_config=test_openai_agents.CONFIG)
        return model.answers[0]

    def edited(self, kept: Any, old: str, new: str) -> Any:
        return kept.replace(old, new)


class PydanticAi:
    async def run(self, tool: Tool, call: str, arguments: dict[str, Any]) -> str:
        answers: list[Any] = []
        await self._agent(tool, answers, (call, arguments), interrupts=False).run("Book it")
        return str(answers[0].content)

    async def begin(self, tool: Tool, call: str, arguments: dict[str, Any]) -> Any:
        ended = await self._agent(tool, [], (call, arguments), interrupts=True).run("Book it")
        assert ended.output.approvals
        return ended.all_messages_json().decode(), call

    async def resume(self, tool: Tool, kept: Any) -> str:
        answers: list[Any] = []
        history, call = kept
        await self._agent(tool, answers, interrupts=True).run(
            message_history=ModelMessagesTypeAdapter.validate_json(history),
            deferred_tool_results=DeferredToolResults(approvals={call: True}),
        )
        return str(answers[0].content)

    def edited(self, kept: Any, old: str, new: str) -> Any:
        return kept[0].replace(old, new), kept[1]

    def _agent(self, tool: Tool, answers: list[Any], *calls: Any, interrupts: bool) -> pydantic_ai.Agent[None, Any]:
        return test_pydantic_ai.planner(adapter.tools([tool], interrupts=interrupts), answers, *calls)


ALL: dict[str, Framework] = {"langgraph": LangGraph(), "openai": OpenAi(), "pydantic-ai": PydanticAi()}


def _thread(call: str) -> Any:
    return {"configurable": {"thread_id": f"thread of {call}"}}


def _last(ended: dict[str, Any]) -> str:
    [answer] = [message for message in ended["messages"] if isinstance(message, ToolMessage)]
    assert isinstance(ended["messages"][1], AIMessage)
    return str(answer.content)


def key_of_thread(call: str) -> str:
    """Give the key by which LangGraph's adapter names a call that `LangGraph` has begun."""
    return wish("langgraph", f"thread of {call}", call)
