"""What the libraries `mcp` and `fastmcp` tell of a call, and of its client: both hand over the same context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import principal_components
from mcp.shared.message import ServerMessageMetadata
from mcp_types import ElicitRequest, ElicitRequestURLParams, ElicitResult
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from oneact.protocol import canonical
from oneact.service import asgi
from oneact.service.mcp import replying
from oneact.service.mcp.calling import Call
from oneact.service.mcp.tasking import RELATED, making

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from mcp.server.context import ServerRequestContext

    from oneact.service.exchange import Request
    from oneact.service.mcp.answers import Result
    from oneact.service.mcp.calling import Opened

    Context = ServerRequestContext[Any, Any]

_ACTIONS: Final = frozenset({"accept", "decline", "cancel"})


def call_of(
    context: Context, tool: str, arguments: dict[str, Any], run: Callable[[dict[str, Any]], Awaitable[Result]]
) -> Call:
    """Give a call as the guard takes it; `run` goes on to the tool with whichever arguments."""
    session, params = context.session, context.params or {}
    meta, state = params.get("_meta"), params.get("requestState")
    capabilities = session.client_capabilities
    elicitation = None if capabilities is None else capabilities.elicitation
    modern = context.protocol_version in MODERN_PROTOCOL_VERSIONS
    asks = session.can_send_request
    inner = params.get("name") != tool  # called by another tool, which cannot come back with an answer

    async def open_page(message: str, page: str, identifier: str) -> Opened:
        related = {"_meta": {RELATED: {"taskId": identifier}}} if "taskId" in params else {}
        asked = {"mode": "url", "message": message, "url": page, "elicitationId": identifier, **related}
        found = await session.send_request(
            ElicitRequest(params=ElicitRequestURLParams.model_validate(asked)),
            ElicitResult,
            metadata=ServerMessageMetadata(related_request_id=context.request_id),
        )
        return found.action

    async def page_done(identifier: str, here: bool) -> None:  # noqa: FBT001 - as `Call` says
        await session.send_elicit_complete(identifier, context.request_id if here else None)

    request, made = _request(context), making.get()
    return Call(
        tool=tool,
        arguments=arguments,
        meta=meta if isinstance(meta, dict) else {},
        request=request,
        principal=_principal(),
        state=state if isinstance(state, str) and not inner else None,
        opened=_opened(params),
        modern=modern,
        opens=elicitation is not None and elicitation.url is not None and not (inner if modern else not asks),
        run=run,
        progress=session.report_progress,
        open_page=open_page,
        page_done=page_done,
        is_gone=getattr(context.request, "is_disconnected", _stays),
        reply=replying.of(request),
        making=made if made is not None and made.found is None and made.tool == tool else None,
    )


async def _stays() -> bool:
    """Say that a client is there: one over stdio goes with its server."""
    return False


def _request(context: Context) -> Request | None:
    """Give the HTTP request, without its body; what the account is read from is this, with its scope."""
    scope = getattr(context.request, "scope", None)
    return None if scope is None else asgi.head(scope)


def _principal() -> str:
    """Give whom the host's own authorization of its endpoint names, as the library tells it."""
    token = get_access_token()
    return "" if token is None else canonical.digest(list(principal_components(token)))


def _opened(params: Mapping[str, Any]) -> Opened | None:
    """Read what a client brings back of being asked to open the page: that, and nothing of an approval."""
    responses = params.get("inputResponses")
    told = responses.get("approval") if isinstance(responses, dict) else None
    action = told.get("action") if isinstance(told, dict) else None
    return action if action in _ACTIONS else None
