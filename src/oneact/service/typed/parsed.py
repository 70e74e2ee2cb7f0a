"""A form that the application has read before the guard, as a check of its own against forged forms does.

The framework has used up the body then, and keeps what it made of it. Of that a body is written again, and whatever is
bound, shown, held and given to the handler is read from this one alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlencode

from oneact.errors import Reason, Refusal
from oneact.service import exchange, multipart
from oneact.service.multipart import Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oneact.service.exchange import Request


class _Stream(Protocol):
    def seek(self, offset: int, /) -> object: ...

    def read(self, size: int, /) -> bytes: ...


class Opened(NamedTuple):
    """A file as a framework keeps it: its name and type, None where nobody said one, and its content from the start."""

    name: str
    type: str | None
    content: _Stream


def written(request: Request, fields: Iterable[tuple[str, str | Opened]], limit: int) -> Request:
    """Give a request with the body of its form written again; `fields` are all that the framework has read of it.

    Refuses `request_too_large` over `limit` octets, and `internal` for files that nobody can read any more.
    """
    parts = _parts(fields, limit)
    if request.media_type() == exchange.FORM:
        body = urlencode([(part.name, part.content) for part in parts]).encode("ascii")
        kind = exchange.FORM
    else:
        kind, body = multipart.written(parts)
    if len(body) > limit:
        raise Refusal(Reason.REQUEST_TOO_LARGE, f"{len(body)} octets")
    others = (pair for pair in request.headers if pair[0] != "content-type")
    return replace(request, headers=(*others, ("content-type", kind)), body=body)


def _parts(fields: Iterable[tuple[str, str | Opened]], left: int) -> list[Part]:
    """Read the files, of all of them one octet more than may be `left`: by that one the whole is too large."""
    parts = []
    for name, value in fields:
        if isinstance(value, str):
            parts.append(Part(name, None, None, value.encode()))
            continue
        content = _read(value, left + 1)
        left -= len(content)
        parts.append(Part(name, value.name, value.type, content))
    return parts


def _read(file: Opened, most: int) -> bytes:
    """Read a file from its start, and leave it there for whoever comes after the guard."""
    try:
        file.content.seek(0)
        content = file.content.read(most)
        file.content.seek(0)
    except ValueError as error:  # it is closed
        raise Refusal(Reason.INTERNAL, f"{file.name!r} was closed before the guard: leave the form open") from error
    return content
