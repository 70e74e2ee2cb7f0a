"""For LangChain and LangGraph: a service's actions as tools, and approvals that can end a run and be gone on with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableConfig  # noqa: TC002 - LangChain reads the annotation when it runs
from langchain_core.tools import BaseTool, ToolException
from langgraph.types import interrupt
from pydantic import PrivateAttr

from oneact.agent.errors import Undecided
from oneact.agent.integrations.tools import wish

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oneact.agent.integrations.telling import Told
    from oneact.agent.integrations.tools import Tool


def tools(of: Iterable[Tool], *, interrupts: bool = False) -> list[BaseTool]:
    """Make LangChain's tools of tools that `agent.tools` has made.

    With `interrupts` a call that the person has not decided ends the run with an interrupt that holds `page`, where
    they find it; the resumed run goes on with the same request, whatever it is resumed with, and then waits for them.
    That needs a checkpointer, as all interrupts do.
    """
    return [ApprovedTool(each, interrupts=interrupts) for each in of]


class ApprovedTool(BaseTool):
    """A tool whose calls a person approves; asynchronous only."""

    handle_tool_error: bool | None = True  # what a model is told of a no
    args_schema: dict[str, Any]  # the service's own
    _tool: Tool = PrivateAttr()
    _interrupts: bool = PrivateAttr()

    def __init__(self, tool: Tool, *, interrupts: bool) -> None:
        super().__init__(name=tool.name, description=tool.description, args_schema=tool.schema)
        self._tool, self._interrupts = tool, interrupts

    def _run(self, *_: object, **__: object) -> str:
        raise NotImplementedError("a person is asked: invoke the agent asynchronously")

    def _to_args_and_kwargs(self, tool_input: Any, tool_call_id: str | None) -> tuple[tuple[()], dict[str, Any]]:  # noqa: ANN401 - as LangChain has it
        """Keep the arguments in one, as they came: the service validates them, and that is what is shown and signed."""
        return (), {"arguments": tool_input, "call": tool_call_id or ""}

    async def _arun(self, arguments: dict[str, Any], call: str, config: RunnableConfig) -> str:
        found = await self._told(arguments, _key(config, call))
        if found.failed:
            raise ToolException(found.text)
        return found.text

    async def _told(self, arguments: dict[str, Any], key: str) -> Told:
        if not self._interrupts or not key:
            return await self._tool.call(arguments, key=key)
        try:
            return await self._tool.call(arguments, key=key, keep=True, wait=0)
        except Undecided as undecided:
            interrupt({"oneact": "approval", "page": undecided.page, "tool": self.name, "arguments": arguments})
        return await self._tool.call(arguments, key=key)


def _key(config: RunnableConfig, call: str) -> str:
    """Name one call of one thread, so that a run that is resumed or repeated never asks anew."""
    thread = (config.get("configurable") or {}).get("thread_id", "")
    return wish("langgraph", str(thread), call) if thread and call else ""
