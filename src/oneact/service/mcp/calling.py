"""One call of a tool, as an adapter read it: what was called, by whom, and what its client can do."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from oneact.service.act import Act
    from oneact.service.exchange import Request
    from oneact.service.mcp.replying import Reply
    from oneact.service.mcp.tasking import Making

    Opened: TypeAlias = Literal["accept", "decline", "cancel"]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of `tool`; `meta` is its `_meta`, `request` the HTTP request it came in, without a body.

    `principal` is whom the host's own authorization of the MCP endpoint names, empty without one. A client of revision
    2026-07-28 (`modern`) brings back `state`, and as `opened` what became of the page that it was asked to open.
    `opens` tells that the client can open a page for its user: `open_page(message, url, id)` has an older one do so,
    and `page_done(id, here)` tells it that the page is over, beside the answer to this call where that is yet to come.
    `run` calls the tool itself with whichever arguments, and gives its result in JSON. `progress(seconds, of, message)`
    tells the client that it is waited for; `is_gone` tells whether its connection is closed. `reply` is the HTTP answer
    where it waits for the guard's word on a token; `making` is where the held call is put that it makes as a task.
    """

    tool: str
    arguments: dict[str, Any]
    meta: Mapping[str, Any]
    request: Request | None
    principal: str
    state: str | None
    opened: Opened | None
    modern: bool
    opens: bool
    run: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
    progress: Callable[[float, float, str], Awaitable[None]]
    open_page: Callable[[str, str, str], Awaitable[Opened]]
    page_done: Callable[[str, bool], Awaitable[None]]
    is_gone: Callable[[], Awaitable[bool]]
    reply: Reply | None = None
    making: Making | None = None


@dataclass(slots=True)
class Running:
    """The act that runs in this task, of which tool and function: `passed` once its call went by, `used` once that ran.

    `arguments` are those of the tool that were approved. `check` raises `NotApprovedError` for arguments of the
    function that are not those of the act.
    """

    tool: str
    function: Callable[..., Any] | None
    act: Act
    check: Callable[[Mapping[str, Any]], None]
    arguments: Mapping[str, Any]
    passed: bool = False
    used: bool = False


calling: Final[ContextVar[Call | None]] = ContextVar("oneact_calling", default=None)
running: Final[ContextVar[Running | None]] = ContextVar("oneact_running", default=None)


class UnknownOutcomeError(Exception):
    """A tool failed in a way that does not say whether it had done its work."""


class NotApprovedError(Exception):
    """A guarded function was called past its guard; nothing was done."""
