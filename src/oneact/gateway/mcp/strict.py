"""What a client's message may be made of, so that the server reads in it what the proxy has read.

Not every server is as exact: some find a member whatever the case of its name, and of two the last one, or make a text
of what is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.gateway.mcp.messages import is_request, params_of

if TYPE_CHECKING:
    from oneact.gateway.mcp.messages import Message

_MEMBERS: Final = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})
_OF_A_CALL: Final = frozenset({"name", "arguments", "task", "requestState", "inputResponses", "_meta"})
_CONTINUES: Final = frozenset({"requestState", "inputResponses"})
_META: Final = frozenset({"progressToken", "traceparent", "tracestate"})
_OF_THE_PROTOCOL: Final = "io.modelcontextprotocol/"


def fault(message: Message) -> str:
    """Say what no message of the protocol has; empty where there is nothing."""
    method = message.get("method", "")
    if not isinstance(method, str):
        return "A method is a text."
    if is_request(message) and type(message["id"]) not in {str, int, float}:
        return "The id of a request is a text or a number."
    strange = sorted(message.keys() - _MEMBERS)
    if method == "tools/call":
        strange += sorted(params_of(message).keys() - _OF_A_CALL)
    return f"No message of the protocol has the member {ascii(strange[0])[:80]}." if strange else ""


def approved(params: Message, tool: str, arguments: Message) -> Message:
    """Give the parameters with which an approved call goes on: what was shown, and what the protocol itself defines.

    Whatever else a client has in `_meta` nobody was shown, and to some server it is one more argument.
    """
    own = {name: value for name, value in params.items() if name in _OF_A_CALL - _CONTINUES - {"_meta"}}
    meta = params.get("_meta")
    if isinstance(meta, dict):
        defined = {name: value for name, value in meta.items() if name in _META or name.startswith(_OF_THE_PROTOCOL)}
        own |= {"_meta": defined} if defined else {}
    return {**own, "name": tool, "arguments": arguments}
