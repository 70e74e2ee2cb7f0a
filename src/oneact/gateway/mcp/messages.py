"""Messages of JSON-RPC as the proxy sees them: dictionaries, of which it reads only what it has to."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeAlias

Message: TypeAlias = dict[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

MAX_OCTETS: Final = 16 * 1024 * 1024
MODERN: Final = frozenset({"2026-07-28"})
VERSION: Final = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES: Final = "io.modelcontextprotocol/clientCapabilities"
ENDED: Final = -32000
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL: Final = -32603


class Link(Protocol):
    """A connection that carries messages both ways."""

    async def send(self, message: Message) -> None:
        """Send a message; raises `Lost` where the other side is gone."""
        ...

    async def receive(self) -> Message:
        """Give the next message; raises `Lost` where there will be none any more."""
        ...

    def is_lost(self, message: Message) -> bool:
        """Tell whether an answer only says that the real one was lost."""
        ...

    async def close(self) -> None:
        """End the connection; what it started is ended too."""
        ...


class Lost(Exception):  # noqa: N818 - a state of the connection
    """The other side of a connection is gone; the text says how, for a person to read."""


class Unsent(Lost):
    """The other side could not be reached, and so was asked for nothing."""


class Invalid(ValueError):  # noqa: N818 - a state of the message
    """What came is no message."""


def parse(text: bytes | str) -> list[Message]:
    """Read one message, or the several of a batch; raises `Invalid` for anything else."""
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"no JSON: {error}") from error
    found = value if isinstance(value, list) else [value]
    if not found or not all(isinstance(item, dict) and item.get("jsonrpc") == "2.0" for item in found):
        raise Invalid("no JSON-RPC message")
    return found


def encode(message: Message) -> bytes:
    """Give a message as one line without its end, in ASCII: no character is lost, lone surrogates neither."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii")


def is_request(message: Message) -> bool:
    """Tell whether a message wants an answer."""
    return "method" in message and message.get("id") is not None


def is_response(message: Message) -> bool:
    """Tell whether a message is an answer."""
    return "method" not in message


def request(identifier: str, method: str, params: Message | None = None) -> Message:
    """Give a request."""
    said = {"jsonrpc": "2.0", "id": identifier, "method": method}
    return said if params is None else {**said, "params": params}


def notification(method: str, params: Message | None = None) -> Message:
    """Give a notification."""
    said: Message = {"jsonrpc": "2.0", "method": method}
    return said if params is None else {**said, "params": params}


def response(identifier: object, result: Message) -> Message:
    """Give an answer."""
    return {"jsonrpc": "2.0", "id": identifier, "result": result}


def failure(identifier: object, code: int, text: str) -> Message:
    """Give an answer that is an error."""
    return {"jsonrpc": "2.0", "id": identifier, "error": {"code": code, "message": text}}


def params_of(message: Message) -> Message:
    """Give the parameters of a message; empty where there are none, or no object."""
    found = message.get("params")
    return found if isinstance(found, dict) else {}


def meta_of(message: Message) -> Message:
    """Give the `_meta` of a message's parameters."""
    found = params_of(message).get("_meta")
    return found if isinstance(found, dict) else {}


def version_of(message: Message) -> str:
    """Give the revision that a message names for itself, empty where it names none."""
    found = meta_of(message).get(VERSION)
    return found if isinstance(found, str) else ""


def key(identifier: object) -> str:
    """Give the identifier of a message as a key: 1 and "1" are two."""
    return json.dumps(identifier)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    found = float(text)
    if math.isinf(found):
        raise ValueError(f"{text[:20]} is larger than any number that goes on")
    return found
