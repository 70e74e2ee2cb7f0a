"""What a handler in Django gives, as an answer; and an answer as a response of Django's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from pydantic import BaseModel

from oneact.service.django import rest
from oneact.service.exchange import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

NO: Final[tuple[type[Exception], ...]] = (Http404, PermissionDenied, BadRequest, SuspiciousOperation, *rest.ERRORS)
_STATUS: Final[dict[type[Exception], int]] = {Http404: 404, PermissionDenied: 403}
_PAIR: Final = 2
_NOT_KEPT: Final = frozenset({"content-length", "content-type"})


def of_result(result: Any) -> Answer:  # noqa: ANN401 - whatever the handler gives
    """Make an answer of a response, of models and JSON, of either with a status, of an `Answer`, or of nothing.

    Raises TypeError for what streams or is no JSON.
    """
    if isinstance(result, Answer):
        return result
    if isinstance(result, HttpResponseBase):
        return _of_response(result)
    if isinstance(result, tuple) and len(result) == _PAIR and isinstance(result[1], int):
        return _of_json(result[0], result[1])
    return Answer(204) if result is None else _of_json(result, 200)


def of_error(error: Exception) -> Answer:
    """Make an answer of what the handler raised to say no."""
    detail = getattr(error, "detail", None)
    if detail is None:  # one of Django's own
        found = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)
        return _of_json({"detail": str(error)}, found)
    said = _of_json(
        detail if isinstance(detail, dict | list) else {"detail": detail}, getattr(error, "status_code", 400)
    )
    wait = getattr(error, "wait", None)
    return said if wait is None else said.with_headers(("Retry-After", str(int(wait))))


def response(answer: Answer) -> HttpResponse:
    """Give an answer as Django's."""
    made = HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)
    if not answer.body:
        del made.headers["Content-Type"]
    for name, value in answer.headers:
        if name.lower() == "set-cookie":
            _set_cookie(made, value)
        else:
            made.headers[name] = f"{made.headers[name]}, {value}" if name in made.headers else value
    if "Location" in made.headers:
        made.url = made.headers["Location"]  # as Django's own redirects have it, which its test client follows
    return made


def _set_cookie(made: HttpResponse, line: str) -> None:
    """Set a cookie as its line says; Python's own reader says nothing of a line that it cannot read."""
    known = len(made.cookies)
    made.cookies.load(line)
    if len(made.cookies) != known + 1:
        raise ValueError("a cookie that comes twice, or in no form that Django could send")


def _of_response(made: HttpResponseBase) -> Answer:
    if made.streaming:
        made.close()
        raise TypeError("a guarded handler cannot stream its answer: a receipt covers it whole")
    if not getattr(made, "is_rendered", True):
        if hasattr(made, "data"):
            rest.render(made)
        made.render()
    return Answer(made.status_code, made.content, made.headers.get("Content-Type", ""), tuple(headers(made)))


def headers(made: HttpResponseBase) -> Iterator[tuple[str, str]]:
    """Give the header fields of a response, and its cookies, without those that say what its body is."""
    for name, value in made.headers.items():
        if name.lower() not in _NOT_KEPT:
            yield name, value
    for cookie in made.cookies.values():
        yield "Set-Cookie", cookie.OutputString()


def _of_json(value: Any, status: int) -> Answer:  # noqa: ANN401 - whatever the handler gives
    text = json.dumps(_written(value), cls=DjangoJSONEncoder, ensure_ascii=False, allow_nan=False)
    return Answer(status, text.encode())


def _written(result: Any) -> Any:  # noqa: ANN401 - whatever the handler gives
    """Put models into JSON form wherever they stand; the rest is Django's own encoder's."""
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json", by_alias=True)
    if isinstance(result, dict):
        return {name: _written(value) for name, value in result.items()}
    return [_written(value) for value in result] if isinstance(result, list | tuple) else result
