"""A request of Django's read as the guard's, under WSGI and ASGI alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.core.exceptions import RequestDataTooBig
from django.http import RawPostDataException

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service import environ

if TYPE_CHECKING:
    from django.http import HttpRequest

    from oneact.service.exchange import Request


def read(request: HttpRequest) -> Request:
    """Read a request whole; refuses `request_too_large` over 256 KiB, and `request_malformed`."""
    environ.check_ends(_environ(request))
    return replace(head(request), body=_body(request))


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


def _body(request: HttpRequest) -> bytes:
    said = request.META.get("CONTENT_LENGTH") or ""
    if said and int(said) > canonical.MAX_OCTETS:
        raise Refusal(Reason.REQUEST_TOO_LARGE, f"{said} octets")
    try:
        body: bytes = request.body
    except RequestDataTooBig as error:
        raise Refusal(Reason.REQUEST_TOO_LARGE, "more than DATA_UPLOAD_MAX_MEMORY_SIZE") from error
    except RawPostDataException as error:
        if request.content_type == "multipart/form-data":  # Django's own check of forged forms has read it
            raise Refusal(Reason.MEDIA_TYPE, "a form with files") from error
        raise Refusal(Reason.INTERNAL, "the body was read before the guard: leave request.POST alone") from error
    except OSError as error:
        raise Refusal(Reason.REQUEST_MALFORMED, "the caller went away") from error
    if len(body) > canonical.MAX_OCTETS:
        raise Refusal(Reason.REQUEST_TOO_LARGE, f"more than {canonical.MAX_OCTETS} octets")
    if said and len(body) != int(said):
        raise Refusal(Reason.REQUEST_MALFORMED, f"{len(body)} octets instead of {said}")
    return body
