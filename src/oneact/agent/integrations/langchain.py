"""For LangChain and LangGraph: actions as tools, own tools approved, with approvals that can interrupt a run."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, cast

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableConfig  # noqa: TC002 - LangChain reads the annotation when it runs
from langchain_core.tools import BaseTool, ToolException
from langgraph.types import interrupt
from pydantic import BaseModel, PrivateAttr, ValidationError

from oneact.agent.errors import AgentError, Refused, Undecided
from oneact.agent.integrations.local import Call, as_shown, check_same, is_same
from oneact.agent.integrations.telling import told
from oneact.agent.integrations.tools import distinct, wish
from oneact.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable

    from langgraph.prebuilt.tool_node import ToolCallRequest
    from langgraph.types import Command

    from oneact.agent.agent import Agent
    from oneact.agent.integrations.telling import Told
    from oneact.agent.integrations.tools import Tool


def tools(of: Iterable[Tool], *, interrupts: bool = False) -> list[BaseTool]:
    """Make LangChain's tools of tools that `agent.tools` has made.

    With `interrupts` a call that the person has not decided ends the run with an interrupt that holds `page`, where
    they find it; the resumed run goes on with the same request, whatever it is resumed with, and then waits for them.
    That needs a checkpointer, as all interrupts do.
    """
    return [ApprovedTool(each, interrupts=interrupts) for each in distinct(of)]


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
        found = await self._told(arguments, _key(config, call), interrupts=self._interrupts and _is_kept(config))
        if found.failed:
            raise ToolException(found.text)
        return found.text

    async def _told(self, arguments: dict[str, Any], key: str, *, interrupts: bool) -> Told:
        if not interrupts or not key:
            return await self._tool.call(arguments, key=key)
        try:
            return await self._tool.call(arguments, key=key, keep=True, wait=0)
        except Undecided as undecided:
            interrupt({"oneact": "approval", "page": undecided.page, "tool": self.name, "arguments": arguments})
        return await self._tool.call(arguments, key=key)


class Approving(AgentMiddleware[Any, Any, Any]):
    """Has calls of an agent's own tools approved, all but those named in `allowed`; asynchronous only.

    Checked inside the agent. What runs are the arguments that were approved, as the tool's own schema has validated
    them. `interrupts` are as in `tools`, `reason` and `wait` as in `agent.act`.
    """

    def __init__(
        self,
        agent: Agent,
        *,
        allowed: Collection[str] = (),
        interrupts: bool = False,
        reason: str = "",
        wait: int = 600,
    ) -> None:
        super().__init__()
        self._agent, self._allowed, self._interrupts = agent, frozenset(allowed), interrupts
        self._reason, self._wait = reason, wait

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]]
    ) -> ToolMessage | Command[Any]:
        """Have one call approved, then run it; a no is the answer to the model, an outage raises."""
        if request.tool_call["name"] in self._allowed or isinstance(request.tool, ApprovedTool):
            return await handler(request)
        try:
            return await self._called(request, handler)
        except ValidationError as invalid:
            return _answer(request, f"The arguments are not valid: {invalid}", "error")
        except AgentError as error:
            return _answer(request, told(error).text, "error")

    async def _called(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]]
    ) -> ToolMessage | Command[Any]:
        name = request.tool_call["name"]
        schema, arguments = _validated(request)

        async def run(approved: dict[str, Any]) -> ToolMessage | Command[Any]:
            return await handler(request.override(tool_call={**request.tool_call, "args": approved}))

        def call() -> Call:
            return Call(
                name, schema, arguments, run, f"Use the tool {name}",
                still=lambda: is_same(_validated(request)[1], arguments),
                encode=_told, decode=lambda value: _answer(request, value["content"], value["status"]),
            )  # fmt: skip

        functions = self._agent.functions()
        key = _key(request.runtime.config, request.tool_call["id"] or "")
        found: ToolMessage | Command[Any]
        if self._interrupts and key and _is_kept(request.runtime.config):
            try:
                found = await functions.call(call(), reason=self._reason, key=key, keep=True, wait=0)
            except Undecided as undecided:
                interrupt({"oneact": "approval", "page": undecided.page, "tool": name, "arguments": arguments})
            else:
                return found
        found = await functions.call(call(), reason=self._reason, key=key, wait=self._wait)
        return found


def _validated(request: ToolCallRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give a tool's schema, and the arguments of a call as it has validated them."""
    given = request.tool_call["args"]
    described = {} if request.tool is None else request.tool.tool_call_schema
    if isinstance(described, dict):
        return described, copy.deepcopy(given)
    model = _model(request.tool, described)

    def valid(arguments: dict[str, Any]) -> dict[str, Any]:
        return dict(model.model_validate(arguments).model_dump(mode="json", by_alias=True))

    shown = as_shown(valid(given), valid)
    check_same(model.model_validate(given), lambda: model.model_validate(shown))
    return model.model_json_schema(), shown


def _model(tool: Any, described: Any) -> type[BaseModel]:  # noqa: ANN401 - as LangChain has them
    """Give what validates a tool's arguments when it runs; `described` is the same without what is injected.

    Refuses `parameters_invalid` for what cannot be known before it runs: validators of a model that also takes what is
    injected, a model of pydantic 1.
    """
    own: Any = tool.args_schema or described
    if not issubclass(described, BaseModel) or not issubclass(own, BaseModel):
        raise Refused(Reason.PARAMETERS_INVALID.value, "the tool's schema is not of pydantic 2")
    if own.model_fields.keys() == described.model_fields.keys():
        return cast("type[BaseModel]", own)
    made = own.__pydantic_decorators__
    if made.field_validators or made.model_validators or made.validators or made.root_validators:
        raise Refused(Reason.PARAMETERS_INVALID.value, "the tool's validators see what is injected when it runs")
    return cast("type[BaseModel]", described)


def _told(message: object) -> dict[str, Any]:
    """Put a tool's answer into JSON, for a run that goes on where another had it executed."""
    if isinstance(message, ToolMessage):
        return {"content": message.content, "status": message.status}
    raise TypeError("a command is no answer to another run")


def _answer(request: ToolCallRequest, content: Any, status: Any) -> ToolMessage:  # noqa: ANN401 - as LangChain has them
    call = request.tool_call
    return ToolMessage(content, name=call["name"], tool_call_id=call["id"] or "", status=status)


def _key(config: RunnableConfig, call: str) -> str:
    """Name one call of one thread, so that a run that is resumed or repeated never asks anew.

    Without a thread it is named by the task in which it runs, which LangGraph's own retries go on with.
    """
    found = config.get("configurable") or {}
    run = found.get("thread_id") or found.get("checkpoint_ns") or ""
    return wish("langgraph", str(run), call) if run and call else ""


def _is_kept(config: RunnableConfig) -> bool:
    """Tell whether a run can be interrupted: without a thread nothing of it is kept."""
    return bool((config.get("configurable") or {}).get("thread_id"))
