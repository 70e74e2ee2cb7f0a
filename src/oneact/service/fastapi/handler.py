"""One handler of a FastAPI application: which of its arguments are parameters, and how it is called with an act."""

from __future__ import annotations

import functools
import inspect
import typing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from fastapi import HTTPException, Request, Response, params
from fastapi.encoders import jsonable_encoder
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service import actions, asgi, endpoints, exchange, reading
from oneact.service.act import Act
from oneact.service.exchange import Answer
from oneact.service.fastapi import reads
from oneact.service.fastapi.parameters import Field, Parameters, arguments_of, model_field, schema_of, value_field

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from oneact.protocol.canonical import Json
    from oneact.service.fastapi.guard import Guard
    from oneact.service.guarded import Guarded

BY_NAME: Final = "oneact.by_name"
_EMPTY: Final = inspect.Parameter.empty
_ANY_NAME: Final = frozenset({inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL})
_REFUSED: Final = (params.Header, params.Cookie, params.File)


class Handler:
    """One decorated function: which of its arguments are parameters, and how to call it with an act."""

    description: dict[str, Any]

    def __init__(
        self,
        guard: Guard,
        name: str,
        function: Callable[..., Any],
        terms: Callable[..., Any] | None,
        terms_hold: Callable[..., Any] | None,
        named: Collection[str],
    ) -> None:
        self.guard, self.name, self.function = guard, name, function
        self._terms, self._terms_hold = terms, terms_hold
        self.bound, self.status = False, 200
        self._hints = typing.get_type_hints(function, include_extras=True)
        self._sources: dict[str, str] = {}
        self._kept: list[inspect.Parameter] = []
        self._act: str | None = None
        self.needs_act = False
        self._request: str | None = None
        fields = [self._field(found) for found in inspect.signature(function).parameters.values()]
        try:
            self.parameters = Parameters([field for field in fields if field is not None])
        except ValueError as error:
            raise ValueError(f"action {name}: {error}") from error
        self._check_takes("terms=", terms, set())
        self._check_takes("terms_hold=", terms_hold, {"terms"})
        self.route = APIRoute(endpoints.ACT_PATH, self.endpoint(), methods=["POST"], response_model=None)
        reads.check(name, self._unsigned(), named)

    def describe(self, method: str, path: str, in_path: tuple[str, ...]) -> Any:  # noqa: ANN401 - an Action
        """Build the published action for the route at `path`."""
        missing = [name for name in in_path if self._sources.get(name) != "query"]
        if missing:
            raise ValueError(f"action {self.name}: the path has {missing}, which are no arguments of its handler")
        sources = {**self._sources, **dict.fromkeys(in_path, "path")}
        return actions.describe(self.name, **self.description, sources=sources, method=method, path=path)

    def endpoint(self) -> Callable[..., Any]:
        """Give the function that FastAPI sees: it takes the request, and what FastAPI has to provide beside it."""

        async def guarded(request: Request, **provided: Any) -> Response:  # noqa: ANN401 - the owner's dependencies
            self.guard.bind(request.app)
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
            request_read = await read(request)
            given = self.given(found, request_read, request)
        except Refusal as refusal:
            return exchange.refused(refusal, request.method, asgi.head(request.scope).path)
        return await self.perform(found, given, request_read, request, provided)

    def given(self, found: Guarded, read: exchange.Request, request: Request) -> dict[str, Any]:
        """Give the flat parameters of a request that has been read."""
        by_name: dict[str, Any] | None = request.scope.get(BY_NAME)
        path = {name: str(value) for name, value in request.path_params.items()}
        return reading.given(found, read, path) if by_name is None else by_name

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
            return await self._run(parameters, act, request, provided)

        return await self.guard.perform(replace(found, run=run), given, read)

    async def run_alone(self, parameters: dict[str, Any], act: Act) -> Answer:
        """Run the handler without a request, which only one without dependencies can."""
        if self._kept or self._request:
            raise Refusal(Reason.INTERNAL, "the handler needs a request")
        return await self._run(parameters, act, None, {})

    async def quote(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """State the terms."""
        assert self._terms is not None
        stated: dict[str, Any] = await self._state(self._terms, parameters, {})
        return stated

    async def holds(self, parameters: dict[str, Any], terms: dict[str, Any]) -> bool:
        """Tell whether terms stated earlier still stand."""
        assert self._terms_hold is not None
        return bool(await self._state(self._terms_hold, parameters, {"terms": terms}))

    def terms_schema(self, said: Mapping[str, Json] | None) -> Mapping[str, Json] | None:
        """Give the schema of the terms: what was said, or what the terms' function is annotated to return."""
        if self._terms is None or said is not None:
            return said
        returned = typing.get_type_hints(self._terms, include_extras=True).get("return")
        described = {} if returned is None else schema_of(TypeAdapter[Any](returned))
        if not described.get("properties"):
            raise ValueError(f"action {self.name}: annotate what terms= returns with a model, or give terms_schema=")
        return described

    def _field(self, found: inspect.Parameter) -> Field | None:
        """Sort one argument: a parameter of the action, or what the handler is given beside them."""
        annotation, default = self._hints.get(found.name, Any), found.default
        plain, *marks = (
            typing.get_args(annotation) if typing.get_origin(annotation) is typing.Annotated else [annotation]
        )
        mark = next(
            (item for item in [default, *marks] if isinstance(item, params.Depends | params.Param | params.Body)), None
        )
        if plain in {Act, Act | None}:
            self._act, self.needs_act = found.name, plain is Act
            return None
        if inspect.isclass(plain) and issubclass(plain, Request):
            self._request = found.name
            return None
        if isinstance(mark, params.Depends):
            if found.name == "request":
                raise ValueError(f"action {self.name}: a dependency cannot be named request")
            self._kept.append(found.replace(annotation=annotation, kind=inspect.Parameter.KEYWORD_ONLY))
            return None
        if isinstance(mark, _REFUSED) or found.kind in _ANY_NAME:
            raise ValueError(f"action {self.name}: {found.name} would reach the handler without being shown")
        try:
            return self._parameter(found.name, plain, annotation, mark, default)
        except ValueError as error:
            raise ValueError(f"action {self.name}: {error}") from error

    def _check_takes(self, setting: str, function: Callable[..., Any] | None, more: set[str]) -> None:
        """Raise ValueError where a function of the owner asks for what the handler has not."""
        needed = {} if function is None else inspect.signature(function).parameters
        found = {} if function is None else arguments_of(function, self.parameters, self._hints)
        for name, parameter in needed.items():
            optional = parameter.default is not _EMPTY or parameter.kind in _ANY_NAME
            if name not in found and name not in more and not optional:
                raise ValueError(f"action {self.name}: {setting} asks for {name}, which is no parameter of the handler")

    def _unsigned(self) -> set[str]:
        """Give what the dependencies read of a request unsigned, and whether the handler takes the whole of it."""
        found = {name for inner in self.route.dependant.dependencies for name in reads.unsigned(inner)}
        return found | {reads.WHOLE} if self._request is not None else found

    def _parameter(self, argument: str, plain: Any, annotation: Any, mark: Any, default: Any) -> Field:  # noqa: ANN401 - parts of a signature
        source = "form" if isinstance(mark, params.Form) else "body" if isinstance(mark, params.Body) else "query"
        if inspect.isclass(plain) and issubclass(plain, BaseModel) and not isinstance(mark, params.Query):
            field = model_field(argument, plain)
            self._sources |= dict.fromkeys(field.names, "body" if source == "query" else source)
            return field
        if mark is not None and default is mark:
            default = _EMPTY if mark.is_required() else mark.get_default(call_default_factory=True)
        name = (mark.alias if mark is not None else None) or argument
        self._sources[name] = source
        return value_field(argument, name, annotation, default)

    async def _run(
        self, parameters: dict[str, Any], act: Act | None, request: Request | None, provided: Mapping[str, Any]
    ) -> Answer:
        named = {**self.parameters.arguments(parameters), **provided}
        if self._act is not None:
            named[self._act] = act
        if self._request is not None:
            named[self._request] = request
        try:
            return self._answered(await asgi.handled(self.guard.threads, functools.partial(self.function, **named)))
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
        return replace(asgi.answer_of(jsonable_encoder(result)), status=self.status if result is not None else 204)

    async def _state(self, function: Callable[..., Any], parameters: dict[str, Any], more: dict[str, Any]) -> Any:  # noqa: ANN401 - the owner's own
        made = self.parameters.arguments(parameters)
        named = {
            name: made[argument] for name, argument in arguments_of(function, self.parameters, self._hints).items()
        }
        try:
            found = await asgi.called(function, **named, **more)
        except HTTPException as error:
            raise Refusal(Reason.PARAMETERS_INVALID, str(error.detail)) from error
        returned = typing.get_type_hints(function, include_extras=True).get("return", Any)
        return TypeAdapter[Any](returned).dump_python(found, mode="json", by_alias=True)


async def read(request: Request) -> exchange.Request:
    """Read a whole request; refuses `request_too_large` over 256 KiB."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > canonical.MAX_OCTETS:
                raise Refusal(Reason.REQUEST_TOO_LARGE, f"{len(body)} octets")
    except RuntimeError:  # a dependency has read the form before, as a check of its own does
        body += await _form(request)
    return replace(asgi.head(request.scope), body=bytes(body), native=request)


async def _form(request: Request) -> bytes:
    """Write a form that has been read as it came; refuses `media_type` for one with files."""
    fields = (await request.form()).multi_items()
    if not all(isinstance(value, str) for _, value in fields):
        raise Refusal(Reason.MEDIA_TYPE, "a form with files")
    written = urlencode(fields).encode("ascii")
    if len(written) > canonical.MAX_OCTETS:
        raise Refusal(Reason.REQUEST_TOO_LARGE, f"{len(written)} octets")
    return written


def response(answer: Answer) -> Response:
    """Give an answer as FastAPI sends it."""
    made = Response(answer.body, answer.status, media_type=None)
    if answer.body:
        made.headers["content-type"] = answer.content_type
    for name, value in answer.headers:
        made.headers.append(name, value)
    return made
