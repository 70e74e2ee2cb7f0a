"""A WSGI environment read as a request, strictly: what a server has not said for sure is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote_to_bytes

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service import exchange
from oneact.service.exchange import Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_RAW: Final = ("RAW_URI", "REQUEST_URI")  # gunicorn; uWSGI, mod_wsgi, waitress
_LENGTH: Final = re.compile(r"[0-9]{1,15}")
_COMMA_MEANS_TWO: Final = frozenset({"authorization", "dpop"})
_PLAIN: Final = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})
_CHUNK: Final = 64 * 1024


def read(environ: Mapping[str, Any]) -> Request:
    """Read a whole request; refuses `request_too_large` over 256 KiB, and `request_malformed`."""
    request = replace(head(environ), body=body(environ))
    return replace(request, native=request)


def head(environ: Mapping[str, Any]) -> Request:
    """Give what stands in an environment, without a body; refuses `request_malformed`."""
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path(environ),
        query=environ.get("QUERY_STRING", ""),
        headers=tuple(_headers(environ)),
        body=b"",
        client=environ.get("REMOTE_ADDR", ""),
        scope=environ,
    )


def path(environ: Mapping[str, Any]) -> str:
    """Give the path as it was sent, without the prefix under which the application is mounted.

    PATH_INFO is what the application routes by, but decoded: `%2F` and `/` are one there. So the address as it was
    sent is taken where the server gives it and where it says the same; where it does not, since something in between
    has rewritten it, the address is PATH_INFO with everything escaped that has to be. Either is the address of what
    runs; an agent that signed another spelling is refused by check 5.
    """
    mount, info = _octets(environ, "SCRIPT_NAME"), _octets(environ, "PATH_INFO")
    sent = next((_octets(environ, name) for name in _RAW if environ.get(name)), b"").partition(b"?")[0]
    decoded = unquote_to_bytes(sent)
    if decoded == info:
        return sent.decode("latin-1")
    if decoded == mount + info:
        return exchange.below(sent, mount).decode("latin-1")
    return quote(info, safe=exchange.UNQUOTED)


def body(environ: Mapping[str, Any]) -> bytes:
    """Read the body, at most 256 KiB of it.

    A body without a length is read where the server says that it ends it (`wsgi.input_terminated`), and refused where
    it does not.
    """
    check_ends(environ)
    said, ends = environ.get("CONTENT_LENGTH") or "", bool(environ.get("wsgi.input_terminated"))
    if said and int(said) > canonical.MAX_OCTETS:
        raise Refusal(Reason.REQUEST_TOO_LARGE, f"{said} octets")
    found = _read(environ, canonical.MAX_OCTETS + 1 if ends else int(said or 0))
    if len(found) > canonical.MAX_OCTETS:
        raise Refusal(Reason.REQUEST_TOO_LARGE, f"more than {canonical.MAX_OCTETS} octets")
    if said and len(found) != int(said):
        raise Refusal(Reason.REQUEST_MALFORMED, f"{len(found)} octets instead of {said}")
    return found


def check_ends(environ: Mapping[str, Any]) -> None:
    """Refuse a body of which nobody could tell where it ends."""
    said, ends = environ.get("CONTENT_LENGTH") or "", bool(environ.get("wsgi.input_terminated"))
    if said and not _LENGTH.fullmatch(said):
        raise Refusal(Reason.REQUEST_MALFORMED, f"Content-Length {said!r}")
    if not said and not ends and environ.get("HTTP_TRANSFER_ENCODING"):
        raise Refusal(Reason.REQUEST_MALFORMED, "a body in chunks, which the server does not end")


def _read(environ: Mapping[str, Any], limit: int) -> bytes:
    found = bytearray()
    try:
        while len(found) < limit and (chunk := environ["wsgi.input"].read(min(_CHUNK, limit - len(found)))):
            found += chunk
    except OSError as error:
        raise Refusal(Reason.REQUEST_MALFORMED, "the caller went away") from error
    return bytes(found)


def _headers(environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the header fields; where servers join what came twice, neither a token nor a proof holds a comma."""
    for key, value in environ.items():
        plain = key.removeprefix("HTTP_")
        if (plain in _PLAIN) == (plain != key):  # nothing of a header; or what some servers say a second time
            continue
        name = plain.replace("_", "-").lower()
        for one in value.split(",") if name in _COMMA_MEANS_TWO else (value,):
            yield name, one.strip()


def _octets(environ: Mapping[str, Any], name: str) -> bytes:
    try:
        return str(environ.get(name, "")).encode("latin-1")
    except UnicodeEncodeError as error:
        raise Refusal(Reason.REQUEST_MALFORMED, f"{name} is none of WSGI's texts") from error
