"""A request of Django's read as the guard's, under WSGI and ASGI alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.core.exceptions import RequestDataTooBig
from django.http import RawPostDataException

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service import environ
from oneact.service.django import uploads
from oneact.service.typed import parsed

if TYPE_CHECKING:
    from django.http import HttpRequest

    from oneact.service.exchange import Request


def read(request: HttpRequest, limit: int = canonical.MAX_OCTETS) -> Request:
    """Read a request whole, also where Django's check of forged forms has read its form.

    Refuses `request_too_large` over `limit` octets, and `request_malformed`.
    """
    environ.check_ends(_environ(request))
    said = request.META.get("CONTENT_LENGTH") or ""
    if said and int(said) > limit:
        raise Refusal(Reason.REQUEST_TOO_LARGE, f"{said} octets")
    try:
        body = _body(request, limit if said else canonical.MAX_OCTETS)
    except RawPostDataException as error:
        fields = list(uploads.fields(request))
        if not fields:
            raise Refusal(Reason.INTERNAL, "the body was read before the guard: leave its stream alone") from error
        return parsed.written(head(request), fields, limit)
    if len(body) > limit:
        raise Refusal(Reason.REQUEST_TOO_LARGE, f"more than {limit} octets")
    if said and len(body) != int(said):
        raise Refusal(Reason.REQUEST_MALFORMED, f"{len(body)} octets instead of {said}")
    return replace(head(request), body=body)


def head(request: HttpRequest) -> Request:
    """Give what stands in a request, without a body; refuses `request_malformed`."""
    return replace(environ.head(_environ(request)), native=request)


def _environ(request: HttpRequest) -> dict[str, Any]:
    """Give a WSGI environment: Django has decoded two of its members, and makes none under ASGI.

    Under WSGI Django reads no body that has no length, whoever ends it; under ASGI it has read all there is.
    """
    scope = getattr(request, "scope", None)
    found = {**request.META, "wsgi.input_terminated": scope is not None}
    for name in ("PATH_INFO", "SCRIPT_NAME"):
        found[name] = found.get(name, "").encode().decode("latin-1")
    if scope is not None:
        found["REQUEST_METHOD"] = scope["method"]
        found["RAW_URI"] = (scope.get("raw_path") or b"").decode("latin-1")
    return found


def _body(request: HttpRequest, limit: int) -> bytes:
    """Read the body; what the site says of bodies in memory does not hold for files, as it does not in Django."""
    body: bytes
    try:
        try:
            body = request.body
        except RequestDataTooBig as error:  # which Django tells before it has read anything, where there is a length
            if limit <= canonical.MAX_OCTETS:
                raise Refusal(Reason.REQUEST_TOO_LARGE, "more than DATA_UPLOAD_MAX_MEMORY_SIZE") from error
            body = request.read()
    except OSError as error:
        raise Refusal(Reason.REQUEST_MALFORMED, "the caller went away") from error
    return body
