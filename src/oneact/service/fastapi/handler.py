"""One handler of a FastAPI application: which of its arguments are parameters, and how it is called with an act."""

from __future__ import annotations

import functools
import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from fastapi import HTTPException, Request, Response, UploadFile, params
from fastapi.encoders import jsonable_encoder
from fastapi.routing import APIRoute

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service import asgi, endpoints, exchange, reading
from oneact.service.exchange import Answer
from oneact.service.fastapi import reads, uploads
from oneact.service.typed import files, parsed
from oneact.service.typed import handler as typed
from oneact.service.typed.handler import Said

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from fastapi.datastructures import FormData

    from oneact.service.act import Act
    from oneact.service.declaring import Terms
    from oneact.service.fastapi.guard import Guard
    from oneact.service.guarded import Guarded
    from oneact.service.multipart import Upload

BY_NAME: Final = "oneact.by_name"
_REFUSED: Final = (params.Header, params.Cookie, params.File)


class Handler(typed.Handler):
    """One decorated function: which of its arguments are parameters, and how to call it with an act."""

    refusals = (HTTPException,)
    upload = UploadFile

    def __init__(
        self,
        guard: Guard,
        name: str,
        function: Callable[..., Any],
        said: Terms,
        named: Collection[str],
    ) -> None:
        self._kept: list[inspect.Parameter] = []
        self._request: str | None = None
        self.status = 200
        super().__init__(guard, name, function, said)
        self.app_guard = guard
        self.route = self._hidden(())
        reads.check(name, self._unsigned(), named)

    def is_beside(self, found: inspect.Parameter, plain: Any, marks: Sequence[Any]) -> bool:  # noqa: ANN401 - parts of a signature
        """Keep `Depends` arguments for FastAPI to provide, and remember which one takes the request."""
        if inspect.isclass(plain) and issubclass(plain, Request):
            self._request = found.name
            return True
        if not isinstance(_mark(found, marks), params.Depends):
            return False
        if found.name == "request":
            raise ValueError(f"action {self.name}: a dependency cannot be named request")
        annotation = self._hints.get(found.name, Any)
        self._kept.append(found.replace(annotation=annotation, kind=inspect.Parameter.KEYWORD_ONLY))
        return True

    def said(self, found: inspect.Parameter, plain: Any, marks: Sequence[Any]) -> Said:  # noqa: ANN401 - parts of a signature
        """Read FastAPI's own marks."""
        mark, default = _mark(found, marks), found.default
        if mark is not None and default is mark:
            default = typed.EMPTY if mark.is_required() else mark.get_default(call_default_factory=True)
        if files.is_one(plain, self.upload, marked=isinstance(mark, params.File), bare=mark is None):
            return files.check_default(Said("file", (mark and mark.alias) or found.name, default))
        if isinstance(mark, _REFUSED):
            raise ValueError(f"{found.name} {typed.UNSHOWN}")  # noqa: TRY004 - a mistake like any other
        if mark is None:
            return Said(None, found.name, default)
        kinds = ((params.Form, "form"), (params.Body, "body"), (params.Query, "query"))
        source = next((source for kind, source in kinds if isinstance(mark, kind)), None)
        return Said(source, mark.alias or found.name, default)

    def endpoint(self) -> Callable[..., Any]:
        """Give the function that FastAPI sees: it takes the request, and what FastAPI has to provide beside it."""

        async def guarded(request: Request, **provided: Any) -> Response:  # noqa: ANN401 - the owner's dependencies
            self.app_guard.bind(request.app)
            return response(await self.answer(request, provided))

        request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
        guarded.__signature__ = inspect.Signature([request, *self._kept], return_annotation=Response)  # type: ignore[attr-defined]  # functions have one
        guarded.__name__, guarded.__doc__ = self.function.__name__, self.function.__doc__
        guarded.oneact_handler = self  # type: ignore[attr-defined]  # how `bind` knows the route
        return guarded

    async def answer(self, request: Request, provided: Mapping[str, Any]) -> Answer:
        """Answer one request, with what FastAPI has provided for the handler."""
        found = self.guard.actions[self.name]
        try:
            request_read = await read(request, found.room.read)
            given = self.given(found, request_read, request)
        except Refusal as refusal:
            return exchange.refused(refusal, request.method, asgi.head(request.scope).path)
        return await self.perform(found, given, request_read, request, provided)

    def given(self, found: Guarded, read: exchange.Request, request: Request) -> dict[str, Any]:
        """Give the flat parameters of a request that has been read."""
        by_name: dict[str, Any] | None = request.scope.get(BY_NAME)
        path = {name: str(value) for name, value in request.path_params.items()}
        return reading.given(found, read, path, self.beside) if by_name is None else by_name

    async def perform(
        self,
        found: Guarded,
        given: dict[str, Any],
        read: exchange.Request,
        request: Request,
        provided: Mapping[str, Any],
    ) -> Answer:
        """Have the guard answer, and the handler run within this very request where it may."""

        async def run(parameters: dict[str, Any], act: Act) -> Answer:
            return await self._run(parameters, act, request, provided, contents)

        contents = files.contents(given)
        return await self.guard.perform(replace(found, run=run), given, read)

    def uploaded(self, file: Upload) -> UploadFile:
        """Give a file as FastAPI has it."""
        return uploads.made(file)

    async def run(self, parameters: dict[str, Any], act: Act, contents: Mapping[str, bytes] = typed.NO_FILES) -> Answer:
        """Run the handler without a request, which only one without dependencies can."""
        if self._kept or self._request:
            raise Refusal(Reason.INTERNAL, "the handler needs a request")
        return await self._run(parameters, act, None, {}, contents)

    def stand_at(self, route: Any) -> None:  # noqa: ANN401 - a route of FastAPI's, or what stands for one
        """Answer with the status of the own route, and by name also run what that and its routers depend on."""
        self.status = getattr(route, "status_code", None) or 200
        self.route = self._hidden(route.dependencies)

    def _hidden(self, dependencies: Sequence[Any]) -> APIRoute:
        """Make the route by which the action runs by its name."""
        return APIRoute(
            endpoints.ACT_PATH, self.endpoint(), methods=["POST"], response_model=None, dependencies=list(dependencies)
        )

    def _unsigned(self) -> set[str]:
        """Give what the dependencies read of a request unsigned, and whether the handler takes the whole of it."""
        found = {name for inner in self.route.dependant.dependencies for name in reads.unsigned(inner)}
        return found | {reads.WHOLE} if self._request is not None else found

    async def _run(
        self,
        parameters: dict[str, Any],
        act: Act | None,
        request: Request | None,
        provided: Mapping[str, Any],
        contents: Mapping[str, bytes],
    ) -> Answer:
        named = {**self.named(parameters, act, contents), **provided}
        if self._request is not None:
            named[self._request] = request
        try:
            return self._answered(await self.guard.call(functools.partial(self.function, **named), "place"))
        except HTTPException as error:  # the handler's own answer: it says that the act was not done
            answer = exchange.of_json(jsonable_encoder({"detail": error.detail}), error.status_code)
            return answer.with_headers(*(error.headers or {}).items())

    def _answered(self, result: Any) -> Answer:  # noqa: ANN401 - whatever the handler gives
        if isinstance(result, Response):
            headers = tuple(
                (name, value)
                for name, value in result.headers.items()
                if name not in {"content-length", "content-type"}
            )
            if not hasattr(result, "body"):
                raise TypeError("a guarded handler cannot stream its answer: a receipt covers it whole")
            return Answer(result.status_code, bytes(result.body), result.headers.get("content-type", ""), headers)
        if isinstance(result, Answer):
            return result
        return replace(exchange.of_result(jsonable_encoder(result)), status=self.status if result is not None else 204)


def _mark(found: inspect.Parameter, marks: Sequence[Any]) -> Any:  # noqa: ANN401 - any of FastAPI's
    kinds = params.Depends | params.Param | params.Body
    return next((item for item in (found.default, *marks) if isinstance(item, kinds)), None)


async def read(request: Request, limit: int = canonical.MAX_OCTETS) -> exchange.Request:
    """Read a whole request; refuses `request_too_large` over `limit` octets."""
    body, found = bytearray(), replace(asgi.head(request.scope), native=request)
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise Refusal(Reason.REQUEST_TOO_LARGE, f"{len(body)} octets")
    except RuntimeError:  # a dependency has read the form before, as a check of its own does
        return parsed.written(found, uploads.fields(await _form(request)), limit)
    return replace(found, body=bytes(body))


async def _form(request: Request) -> FormData:
    try:
        return await request.form()
    except RuntimeError as error:
        raise Refusal(Reason.INTERNAL, "the body was read before the guard: leave request.stream alone") from error


def response(answer: Answer) -> Response:
    """Give an answer as FastAPI sends it."""
    made = Response(answer.body, answer.status, media_type=None)
    if answer.body:
        made.headers["content-type"] = answer.content_type
    for name, value in answer.headers:
        made.headers.append(name, value)
    return made
