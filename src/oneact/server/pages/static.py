"""The few files beside the pages, held in memory: styles, scripts, the mark."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
_NOT_MODIFIED: Final = 304


def _load() -> dict[str, tuple[bytes, str, str]]:
    found = {}
    for entry in resources.files("oneact.server.pages").joinpath("static").iterdir():
        data = entry.read_bytes()
        media_type = _TYPES.get("." + entry.name.rpartition(".")[2])
        if media_type is not None:
            found[entry.name] = (data, media_type, f'"{hashlib.sha256(data).hexdigest()[:32]}"')
    return found


_FILES: Final = _load()


async def file(request: Request) -> Response:
    """Answer with a file, or that it is the one the browser has."""
    found = _FILES.get(request.path_params["name"])
    if found is None:
        return Response(status_code=404)
    data, media_type, tag = found
    headers = {
        "Cache-Control": "no-cache",
        "ETag": tag,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=_NOT_MODIFIED, headers=headers)
    return Response(data, headers={**headers, "Content-Type": media_type})
