"""One decorated function: which of its arguments are the action's parameters, whichever framework calls it."""

from __future__ import annotations

import functools
import inspect
import typing
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from oneact.errors import Reason, Refusal
from oneact.service import actions, endpoints, exchange
from oneact.service.act import Act
from oneact.service.askers import asker_argument
from oneact.service.declaring import published
from oneact.service.guarded import DEADLINE, Guarded
from oneact.service.multipart import MAX_FILE, Room
from oneact.service.typed import files
from oneact.service.typed.marks import Body, File, Form, Query
from oneact.service.typed.parameters import Field, Parameters, arguments_of, model_field, schema_of, value_field

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from oneact.protocol.action import Action
    from oneact.protocol.canonical import Json
    from oneact.service.act import Asker
    from oneact.service.declaring import HandlerOptions, Terms
    from oneact.service.exchange import Answer, Request
    from oneact.service.guard import GuardCore
    from oneact.service.multipart import Upload

EMPTY: Final = inspect.Parameter.empty
_ANY_NAME: Final = frozenset({inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL})
_SOURCES: Final[dict[type, str]] = {Form: "form", Body: "body", Query: "query", File: "file"}
NO_FILES: Final[Mapping[str, bytes]] = MappingProxyType({})
UNSHOWN: Final = "would reach the handler without being shown"


@dataclass(frozen=True, slots=True)
class Said:
    """What a signature says of one parameter beside its type.

    `source` is `body`, `query`, `form` or `file`, or None where its type decides; `name` stands on the wire;
    `default` is `EMPTY` where there is none.
    """

    source: str | None
    name: str
    default: Any

    @property
    def is_required(self) -> bool:
        """Tell whether there is no default."""
        return self.default is EMPTY


class Handler(ABC):
    """One guarded function of an application.

    An adapter says how its framework marks arguments (`said`, `is_beside`), which exceptions are the owner's own no
    (`refusals`), what a file is there (`upload`, `uploaded`), and runs the function (`run`).
    """

    refusals: ClassVar[tuple[type[Exception], ...]] = ()
    upload: ClassVar[type]

    def __init__(
        self,
        guard: GuardCore,
        name: str,
        function: Callable[..., Any],
        said: Terms,
    ) -> None:
        self.guard, self.name, self.function = guard, name, function
        self._terms, self._terms_hold = terms, terms_hold = said.get("terms"), said.get("terms_hold")
        self.bound, self.beside = False, frozenset[str]()  # of a form: its fields that are no parameters
        for what, owned in (("the handler", function), ("terms=", terms), ("terms_hold=", terms_hold)):
            guard.check_owned(f"action {name}: {what}", owned)
        self._hints = typing.get_type_hints(function, include_extras=True)
        self._sources: dict[str, str] = {}
        self._uploads: dict[str, Any] = {}
        self._act: str | None = None
        self.needs_act = False
        self._description: dict[str, Any] = {}
        fields = [self._field(found) for found in inspect.signature(function).parameters.values()]
        try:
            self.parameters = Parameters([field for field in fields if field is not None])
        except ValueError as error:
            raise ValueError(f"action {name}: {error}") from error
        self._check_takes("terms=", terms, set())
        self._check_takes("terms_hold=", terms_hold, {"terms"})

    @abstractmethod
    async def run(self, parameters: dict[str, Any], act: Act, contents: Mapping[str, bytes] = NO_FILES) -> Answer:
        """Execute the act, with the contents of its files by digest.

        What the framework's own exceptions say is an answer too.
        """

    @abstractmethod
    def uploaded(self, file: Upload) -> Any:  # noqa: ANN401 - of the framework
        """Give a file as the framework has it; raises ValueError for one that it could not have under that name."""

    def refused(self, refusal: Refusal, head: Request) -> Answer:
        """Say no to a request that could not even be read."""
        return exchange.refused(refusal, head.method, head.path)

    def publish(self, said: HandlerOptions) -> Guarded:
        """Give what the guard registers; until a route is found, the action runs by its name alone."""
        schema, terms = self.parameters.schema(), self.terms_schema(said.get("terms_schema"))
        normalise: Callable[[dict[str, Any]], dict[str, Any]] = self.parameters.normalise
        description = published(said)
        if self.files:
            description["display"] = files.display(self.files, description["display"] or {})
            normalise = files.carried(self.files, normalise, self.uploaded)
        self._description = {"schema": schema, "terms": terms, **description}
        return Guarded(
            self.describe("POST", endpoints.ACT_PATH, ()),
            normalise,
            self.run,
            self.quote if self._terms else None,
            self.holds if self._terms_hold else None,
            said.get("deadline", DEADLINE),
            not inspect.iscoroutinefunction(self.function),
            said.get("spends", False),
            self.personal,
            self._room(said.get("max_file_octets", MAX_FILE)),
        )

    def _room(self, each: int) -> Room:
        try:
            return Room(len(self.files), each)
        except ValueError as error:
            raise ValueError(f"action {self.name}: {error}") from error

    def describe(self, method: str, path: str, in_path: Sequence[str]) -> Action:
        """Build the published action for the route at `path`; raises ValueError for what names no argument."""
        missing = [name for name in in_path if self._sources.get(name) != "query"]
        if missing:
            raise ValueError(f"action {self.name}: the path has {missing}, which are no arguments of its handler")
        sources = {**self._sources, **dict.fromkeys(in_path, "path")}
        return actions.describe(self.name, **self._description, sources=sources, method=method, path=path)

    def bind(self, method: str, path: str, in_path: Sequence[str]) -> None:
        """Publish the handler's own route, now that it is known."""
        action = self.describe(method, path, in_path)
        self.guard.actions[self.name] = replace(self.guard.actions[self.name], action=action)
        self.bound = True

    def with_files(self, guarded: Guarded, given: Mapping[str, Any]) -> Guarded:
        """Give an action that runs with the files that came with this request, and no others."""
        return replace(guarded, run=functools.partial(self.run, contents=files.contents(given)))

    def named(self, parameters: dict[str, Any], act: Act | None, contents: Mapping[str, bytes]) -> dict[str, Any]:
        """Give the function's arguments, files and the act among them; it is None where a form passes without one."""
        made = self.parameters.arguments(parameters)
        files.given(made, self._uploads, contents, self.uploaded)
        return made if self._act is None else {**made, self._act: act}

    @property
    def files(self) -> tuple[str, ...]:
        """Give the names of the parameters that are files."""
        return tuple(name for name, source in self._sources.items() if source == "file")

    @property
    def personal(self) -> bool:
        """Tell whether the terms depend on who asks."""
        return any(asker_argument(function) for function in (self._terms, self._terms_hold))

    async def quote(self, parameters: dict[str, Any], asker: Asker | None = None) -> dict[str, Any]:
        """State the terms."""
        assert self._terms is not None
        stated: dict[str, Any] = await self._state(self._terms, parameters, _named(self._terms, asker))
        return stated

    async def holds(self, parameters: dict[str, Any], terms: dict[str, Any], asker: Asker | None = None) -> bool:
        """Tell whether terms stated earlier still stand."""
        assert self._terms_hold is not None
        more = {"terms": terms, **_named(self._terms_hold, asker)}
        return bool(await self._state(self._terms_hold, parameters, more))

    def terms_schema(self, said: Mapping[str, Json] | None) -> Mapping[str, Json] | None:
        """Give the schema of the terms: what was said, or what the terms' function is annotated to return."""
        if self._terms is None or said is not None:
            return said
        returned = typing.get_type_hints(self._terms, include_extras=True).get("return")
        described = {} if returned is None else schema_of(TypeAdapter[Any](returned))
        if not described.get("properties"):
            raise ValueError(f"action {self.name}: annotate what terms= returns with a model, or give terms_schema=")
        return described

    def is_beside(self, found: inspect.Parameter, plain: Any, marks: Sequence[Any]) -> bool:  # noqa: ANN401, ARG002 - parts of a signature, for an adapter to look at
        """Tell whether an argument is no parameter, but given by the framework; an adapter remembers it."""
        return False

    def said(self, found: inspect.Parameter, plain: Any, marks: Sequence[Any]) -> Said:  # noqa: ANN401 - parts of a signature
        """Read what a signature says of one parameter; raises ValueError for what could not be shown.

        Here it is `Form`, `Body`, `Query` or `File` within `Annotated`, and a plain default.
        """
        if found.annotation is EMPTY:
            raise ValueError(f"{found.name} has no annotation, so nobody could say what is signed")
        if isinstance(found.default, FieldInfo | Form | Body | Query | File):
            raise ValueError(f"{found.name}: write Annotated[…, {found.default!r}] and a plain default")  # noqa: TRY004 - a mistake like any other
        if any(isinstance(mark, FieldInfo) and mark.alias for mark in marks):
            raise ValueError(f"{found.name}: Query(alias=…), Form(alias=…) or Body(alias=…) names it on the wire")
        mark = next((mark for mark in marks if isinstance(mark, Form | Body | Query | File)), None)
        if files.is_one(plain, self.upload, marked=isinstance(mark, File), bare=mark is None):
            return files.check_default(Said("file", (mark and mark.alias) or found.name, found.default))
        if isinstance(mark, File):
            raise ValueError(f"{found.name}: File() marks bytes or {self.upload.__name__}")  # noqa: TRY004 - a mistake like any other
        if mark is None:
            return Said(None, found.name, found.default)
        return Said(_SOURCES[type(mark)], mark.alias or found.name, found.default)

    def _field(self, found: inspect.Parameter) -> Field | None:
        """Sort one argument: a parameter of the action, or what the handler is given beside them."""
        annotation = self._hints.get(found.name, Any)
        plain, *marks = (
            typing.get_args(annotation) if typing.get_origin(annotation) is typing.Annotated else [annotation]
        )
        if plain in {Act, Act | None}:
            self._act, self.needs_act = found.name, plain is Act
            return None
        if self.is_beside(found, plain, marks):
            return None
        try:
            if found.kind in _ANY_NAME:
                raise ValueError(f"{found.name} {UNSHOWN}")  # noqa: TRY301 - with the action's name, as below
            return self._parameter(found.name, plain, annotation, self.said(found, plain, marks))
        except ValueError as error:
            raise ValueError(f"action {self.name}: {error}") from error

    def _parameter(self, argument: str, plain: Any, annotation: Any, said: Said) -> Field:  # noqa: ANN401 - parts of a signature
        if inspect.isclass(plain) and issubclass(plain, BaseModel) and said.source != "query":
            field = model_field(argument, plain)
            self._sources |= dict.fromkeys(field.names, said.source or "body")
            return field
        self._sources[said.name] = said.source or "query"
        if said.source == "file":
            self._uploads[argument] = plain
            annotation = files.FileInAct if said.default is EMPTY else files.FileInAct | None
        return value_field(argument, said.name, annotation, said.default)

    def _check_takes(self, setting: str, function: Callable[..., Any] | None, more: set[str]) -> None:
        """Raise ValueError where a function of the owner asks for what the handler has not."""
        needed = {} if function is None else inspect.signature(function).parameters
        found = {} if function is None else arguments_of(function, self.parameters, self._hints)
        for name, parameter in needed.items():
            optional = parameter.default is not EMPTY or parameter.kind in _ANY_NAME
            if name not in found and name not in more and name != asker_argument(function) and not optional:
                raise ValueError(f"action {self.name}: {setting} asks for {name}, which is no parameter of the handler")

    async def _state(self, function: Callable[..., Any], parameters: dict[str, Any], more: dict[str, Any]) -> Any:  # noqa: ANN401 - the owner's own
        """Call a function of the owner, and give what it returns in JSON form; the owner's own no is a refusal."""
        taken = arguments_of(function, self.parameters, self._hints)
        adapter = TypeAdapter[Any](typing.get_type_hints(function, include_extras=True).get("return", Any))

        def named() -> dict[str, Any]:
            made = self.parameters.arguments(parameters)
            return {**{name: made[argument] for name, argument in taken.items()}, **more}

        def written(found: Any) -> Any:  # noqa: ANN401 - the owner's own
            return adapter.dump_python(found, mode="json", by_alias=True)

        def state() -> Any:  # noqa: ANN401 - the same; written where it was made, since a value may load as it is read
            found = function(**named())
            return later(found) if inspect.isawaitable(found) else written(found)

        async def later(found: Awaitable[Any]) -> Any:  # noqa: ANN401 - the same
            return written(await found)

        try:
            if inspect.iscoroutinefunction(function):
                return written(await function(**named()))
            return await self.guard.call(state)
        except self.refusals as error:
            raise Refusal(Reason.PARAMETERS_INVALID, str(error)) from error


def _named(function: Callable[..., Any], asker: Asker | None) -> dict[str, Any]:
    """Give who asks under the name by which a function of the owner takes it, if it does."""
    name = asker_argument(function)
    return {} if name is None else {name: asker}
