"""One handler of a Flask application, called with an act in the thread and the context of its request."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from flask import Response, current_app
from pydantic import BaseModel
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException

from oneact.errors import Reason, Refusal
from oneact.service import exchange, reading
from oneact.service.exchange import Answer
from oneact.service.flask import uploads
from oneact.service.typed import handler as typed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from oneact.service.act import Act
    from oneact.service.flask.guard import Guard
    from oneact.service.multipart import Upload

_ERROR: Final = 400
_NOT_KEPT: Final = frozenset({"content-length", "content-type"})


class Handler(typed.Handler):
    """One decorated function: which of its arguments are parameters, and how to call it with an act."""

    refusals = (HTTPException,)
    upload = FileStorage

    def endpoint(self, guard: Guard) -> Callable[..., Response]:
        """Give the function that Flask sees: it takes what the rule reads of the path."""

        def guarded(**path: Any) -> Response:  # noqa: ANN401 - what converters give
            return guard.responded(lambda request: self._acted(guard, request, path), self)

        guarded.__name__, guarded.__doc__ = self.function.__name__, self.function.__doc__
        guarded.__module__ = self.function.__module__
        guarded.oneact_handler = self  # type: ignore[attr-defined]  # how `bind` knows the rule
        return guarded

    async def run(self, parameters: dict[str, Any], act: Act, contents: Mapping[str, bytes] = typed.NO_FILES) -> Answer:
        """Execute the act; what is raised by `abort` is an answer too."""
        return await self.guard.call(lambda: self._executed(parameters, act, contents), "place")  # type: ignore[no-any-return]  # what it calls gives one

    async def _acted(self, guard: Guard, request: exchange.Request, path: Mapping[str, Any]) -> Answer:
        guarded = guard.actions[self.name]
        if request.method != guarded.action.method:
            return exchange.of_other_method(request, [guarded.action.method])
        given = reading.given(guarded, request, self.texts(path), self.beside)
        return await guard.perform(self.with_files(guarded, given), given, request)

    def uploaded(self, file: Upload) -> FileStorage:
        """Give a file as Flask has it."""
        return uploads.made(file)

    def texts(self, path: Mapping[str, Any]) -> dict[str, str]:
        """Give the texts of what the rule has read of the path."""
        return {name: _text(name, value) for name, value in path.items()}

    def _executed(self, parameters: dict[str, Any], act: Act | None, contents: Mapping[str, bytes]) -> Answer:
        try:
            return _answered(self.function(**self.named(parameters, act, contents)))
        except HTTPException as error:  # the handler's own answer: it says that the act was not done
            return _refused(error)


def _answered(result: Any) -> Answer:  # noqa: ANN401 - whatever the handler gives
    """Make an answer of what Flask makes a response of, and of models, an `Answer` or nothing."""
    if isinstance(result, Answer):
        return result
    if isinstance(result, HTTPException):
        return _refused(result)
    if result is None:
        return Answer(204)
    return _of_response(current_app.make_response(written(result)))


def response(answer: Answer) -> Response:
    """Give an answer as Flask sends it."""
    made = Response(answer.body, answer.status)
    del made.headers["Content-Type"]
    if answer.body:
        made.headers["Content-Type"] = answer.content_type
    for name, value in answer.headers:
        made.headers.add(name, value)
    return made


def _of_response(made: Response) -> Answer:
    if made.is_streamed or made.direct_passthrough:
        made.close()
        raise TypeError("a guarded handler cannot stream its answer: a receipt covers it whole")
    headers = tuple((name, value) for name, value in made.headers.items() if name.lower() not in _NOT_KEPT)
    return Answer(made.status_code, made.get_data(), made.headers.get("Content-Type", ""), headers)


def _refused(error: HTTPException) -> Answer:
    """Give what the application's own error handler says, as long as that says no, else the reason as JSON."""
    handled = current_app.handle_http_exception(error)
    if handled is not error or error.response is not None:
        given = handled.get_response() if isinstance(handled, HTTPException) else handled
        answer = _of_response(current_app.make_response(given))
        if answer.status >= _ERROR or error.code is None:
            return answer
    found = exchange.of_json({"detail": error.description}, error.code or 500)
    headers = [(name, value) for name, value in error.get_headers() if name.lower() not in _NOT_KEPT]
    return replace(found, headers=(*found.headers, *headers))


def written(result: Any) -> Any:  # noqa: ANN401 - whatever the handler gives
    """Put models into JSON form wherever they stand; the rest is the application's own JSON provider's."""
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json", by_alias=True)
    if isinstance(result, dict):
        return {name: written(value) for name, value in result.items()}
    return type(result)(map(written, result)) if type(result) in {list, tuple} else result


def _text(name: str, value: object) -> str:
    """Give the text of what a converter has read; one that makes objects of it would hide what was signed."""
    if not isinstance(value, str | int | UUID):
        raise Refusal(Reason.INTERNAL, f"the converter of {name} gives {type(value).__name__}, no text or integer")
    return str(value)
