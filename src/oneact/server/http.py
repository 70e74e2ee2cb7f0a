"""What the server's HTTP shells share: bodies read strictly, refusals as answers, the caller's address."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from oneact.protocol.canonical import Json
    from oneact.server.world import World

_ORDINARY: Final = frozenset({Reason.AUTHORIZATION_PENDING, Reason.PROOF_NONCE})  # every agent that waits gets these
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "publickey-credentials-get=(self), publickey-credentials-create=(self)",
}
_FORM: Final = "application/x-www-form-urlencoded"
_MAX_FIELDS: Final = 64
_logger: Final = logging.getLogger("oneact.server")


def world_of(request: Request) -> World:
    """Give the running server."""
    world: World = request.app.state.world
    return world


def media_type(request: Request) -> str:
    """Give the content type without parameters; refuses `media_type` for a charset other than UTF-8."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "charset" and value.strip('" ').lower() not in {"utf-8", "us-ascii"}:
            raise Refusal(Reason.MEDIA_TYPE, parameter)
    return kind.strip().lower()


async def body(request: Request, limit: int = canonical.MAX_OCTETS) -> bytes:
    """Read at most `limit` octets; refuses `request_too_large`."""
    found = bytearray()
    try:
        async for chunk in request.stream():
            found += chunk
            if len(found) > limit:
                raise Refusal(Reason.REQUEST_TOO_LARGE, f"more than {limit} octets")
    except ClientDisconnect as error:
        raise Refusal(Reason.REQUEST_MALFORMED, "the client went away") from error
    return bytes(found)


async def form(request: Request) -> dict[str, str]:
    """Read a form post; a field given twice is refused (RFC 6749 section 3.1)."""
    if media_type(request) != _FORM:
        raise Refusal(Reason.MEDIA_TYPE, request.headers.get("content-type", ""))
    try:
        text = (await body(request)).decode("utf-8")
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=_MAX_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise Refusal(Reason.REQUEST_MALFORMED, "not a form") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Refusal(Reason.PARAMETER_REPEATED, "a field is given twice")
    return fields


async def json_object(request: Request) -> dict[str, Json]:
    """Read a JSON object strictly."""
    if media_type(request) != "application/json":
        raise Refusal(Reason.MEDIA_TYPE, request.headers.get("content-type", ""))
    value = canonical.parse(await body(request))
    if not isinstance(value, dict):
        raise Refusal(Reason.REQUEST_MALFORMED, "not an object")
    return value


def answer(value: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Answer with JSON that no cache keeps."""
    return JSONResponse(dict(value), status, {**NO_STORE, **(headers or {})})


def refused(refusal: Refusal, **members: str) -> JSONResponse:
    """Answer a refusal with its public part and further members; the detail goes to the log."""
    _logger.log(logging.DEBUG if refusal.reason in _ORDINARY else logging.INFO, "refused: %s", refusal)
    headers = {"Retry-After": "60"} if refusal.reason is Reason.RATE_LIMITED else {}
    value: dict[str, Any] = {**refusal.body(), **members}
    if refusal.reason in {Reason.AUTHORIZATION_PENDING, Reason.SLOW_DOWN}:
        value["interval"] = 10 if refusal.reason is Reason.SLOW_DOWN else 5
    return answer(value, refusal.reason.status, headers)


async def on_refusal(_: Request, error: Exception) -> Response:
    """Answer a refusal that nothing else has answered."""
    return refused(error if isinstance(error, Refusal) else Refusal(Reason.INTERNAL))


async def on_error(_: Request, error: Exception) -> Response:
    """Answer what should not have happened, without a word of it; the log has the rest.

    This answer is made outside everything else, so it brings its own headers.
    """
    _logger.error("failed", exc_info=error)
    return answer(Refusal(Reason.INTERNAL).body(), 500, HEADERS)


def caller(request: Request) -> str:
    """Give the caller's address; `X-Forwarded-For` counts only from a proxy that is trusted, its last entry."""
    peer = request.client.host if request.client else ""
    if peer in world_of(request).settings.trusted_proxies:
        lines = ",".join(request.headers.getlist("x-forwarded-for"))  # one field, however many lines (RFC 9110, 5.3)
        forwarded = lines.rpartition(",")[2].strip()
        return forwarded or peer
    return peer
