"""An agent with a key at the tools of an MCP server: its way of one act, each request a call of the tool."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, Final

from oneact.agent import flow
from oneact.agent.client import Shell
from oneact.agent.errors import Refused, as_refused
from oneact.agent.flow import Answer, Call, Lost
from oneact.agent.result import Result
from oneact.errors import Reason
from oneact.protocol import dpop, offer, tool
from oneact.protocol.action import NAME

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oneact.agent.agent import Agent
    from oneact.protocol.canonical import Json

_ACCEPT: Final = "Accept-Txn-Challenge"
_NOTHING: Final = object()
_STATUS: Final = {reason.value: reason.status for reason in Reason}


async def call_tool(  # noqa: PLR0913 - what is called, and what it is asked for with
    agent: Agent,
    session: Any,  # noqa: ANN401 - a client of either library, of which nothing is imported here
    name: str,
    arguments: dict[str, Any],
    *,
    service: str,
    reason: str = "",
    wait: int = 600,
    idempotency_key: str = "",
) -> Result:
    """Call a tool of an MCP server, and have the act done where the tool is guarded, as `Agent.act` does.

    `session` is a connected `mcp.Client`, `mcp.ClientSession` or `fastmcp.Client`, `service` the guard's resource. The
    result's `json()` is the tool's result, its `status` 500 for one with `isError`; a tool without a guard is simply
    called. Raises what `Agent.act` raises.
    """
    described, keys = await agent._discover(service)  # noqa: SLF001 - a part of the agent, in a file of its own
    shell, asker = agent._shell, agent._asker(reason, wait, idempotency_key)  # noqa: SLF001 - the same
    wanted = flow.Wanted(described.resource, "POST", described.act_uri, b"", "application/json", None, None)
    called = getattr(session, "call_tool_mcp", None) or session.call_tool
    through = _Through(shell, described.act_uri, lambda meta: called(name, arguments, meta=meta), name, arguments)
    with as_refused():
        outcome = await through.run(flow.act(wanted, asker, described, keys))
    await agent._deliver(outcome)  # noqa: SLF001 - the same
    failed = outcome.body is not None and json.loads(outcome.body).get("isError") is True
    status = Reason.INTERNAL.status if failed else outcome.status  # as an answer over HTTP says it
    return Result(status, outcome.content_type, outcome.body, outcome.receipt, outcome.jws)


class _Through(Shell):
    """The shell of an agent, of which what goes to the service's acts goes through a client of MCP."""

    def __init__(
        self,
        shell: Shell,
        address: str,
        called: Callable[[dict[str, str]], Awaitable[Any]],
        name: str,
        arguments: dict[str, Any],
    ) -> None:
        self.__dict__.update(shell.__dict__)  # one key, one connection, one clock
        self._address, self._called, self._name, self._arguments = address, called, name, arguments

    async def _send(self, call: Call) -> Answer | Lost:
        if call.url != self._address:
            return await super()._send(call)
        try:
            found = await self._called(self._brought(call))
        except Exception as error:  # noqa: BLE001 - whatever a transport raises: mostly, whether the call arrived is not known
            return self._refused(error) or Lost(self.now())
        return self._read(found.model_dump(mode="json", by_alias=True, exclude_none=True))

    def _brought(self, call: Call) -> dict[str, str]:
        meta = {tool.ACCEPT: call.headers[_ACCEPT]} if _ACCEPT in call.headers else {}
        if call.token is not None:
            jti = secrets.token_urlsafe(16)
            proof = dpop.build(self.key, call.method, call.url, self.now(), jti, token=call.token)
            meta |= {tool.AUTHORIZATION: f"DPoP {call.token}", tool.PROOF: proof}
        return meta

    def _read(self, result: dict[str, Any]) -> Answer:
        """Give a result as the answer over HTTP that says the same."""
        meta = result.get("_meta") or {}
        refused = meta.get(tool.REFUSED)
        if isinstance(refused, dict):
            self._check_offered(refused)
            status = _STATUS.get(str(refused.get("reason")), Reason.INTERNAL.status)
            return Answer(status, {}, json.dumps(refused).encode(), self.now())
        named = {"oneact-receipt": meta.get(tool.RECEIPT), "oneact-result-salt": meta.get(tool.SALT)}
        headers = {"content-type": "application/json", **{name: text for name, text in named.items() if text}}
        return Answer(200, headers, tool.octets(result), self.now())

    def _refused(self, error: Exception) -> Answer | None:
        """Give a refusal that came as HTTP's own answer, where the transport hands that on; None for all else."""
        try:
            response: Any = getattr(error, "response", None)
            status, body = response.status_code, bytes(response.content)
            refused = json.loads(body)
            right = status == _STATUS[refused["reason"]]
        except Exception:  # noqa: BLE001 - a transport of its own kind, or an answer that nobody read
            return None
        if not right:
            return None
        self._check_offered(refused)
        return Answer(status, {"content-type": "application/json"}, body, self.now())

    def _check_offered(self, refused: dict[str, Any]) -> None:
        """Refuse an offer for other arguments than those that the tool is called with."""
        text = refused.get("transaction_challenge")
        if not isinstance(text, str) or refused.get("not_executed"):
            return
        offered = offer.parse(text)[0].act
        right = offered.action == self._name or not NAME.match(self._name)
        if not right or not _covers(offered.parameters or {}, self._arguments):
            raise Refused("offer_act", f"the offer is for another call than that of {self._name}")


def _covers(parameters: dict[str, Json], arguments: dict[str, Any]) -> bool:
    """Tell whether every argument stands in an offer as it is, or as its JSON text, or all of them in one text.

    The service may fill in defaults beside them.
    """
    whole = parameters.get("arguments")
    if parameters.keys() == {"arguments"} and isinstance(whole, str) and _is(_of_text(whole), arguments):
        return True
    return all(
        name in parameters and (_is(parameters[name], value) or _is(_of_text(parameters[name]), value))
        for name, value in arguments.items()
    )


def _is(offered: Any, wanted: Any) -> bool:  # noqa: ANN401 - any JSON
    if isinstance(offered, dict) and isinstance(wanted, dict):
        return all(name in offered and _is(offered[name], value) for name, value in wanted.items())
    if isinstance(offered, list) and isinstance(wanted, list):
        return len(offered) == len(wanted) and all(map(_is, offered, wanted))
    return isinstance(offered, bool) == isinstance(wanted, bool) and bool(offered == wanted)


def _of_text(text: Json) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text) if isinstance(text, str) else _NOTHING
    except ValueError:
        return _NOTHING
