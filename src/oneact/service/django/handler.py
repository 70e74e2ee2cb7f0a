"""One handler of a Django application, called with an act in the thread of its request."""

from __future__ import annotations

import contextvars
import inspect
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import connections, transaction
from django.http import HttpRequest

from oneact.errors import Reason, Refusal
from oneact.service import exchange, reading
from oneact.service.django import answers, rest, serializers, uploads
from oneact.service.typed import handler as typed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from django.http import HttpResponse

    from oneact.service.act import Act
    from oneact.service.declaring import HandlerOptions, Terms
    from oneact.service.django.guard import Guard
    from oneact.service.exchange import Answer
    from oneact.service.guarded import Guarded
    from oneact.service.multipart import Upload
    from oneact.service.typed.parameters import Field

VISITED: Final[contextvars.ContextVar[tuple[HttpRequest, Any]]] = contextvars.ContextVar("oneact-django-request")
_METHODS: Final = frozenset({"post", "put", "patch", "delete"})


class Handler(typed.Handler):
    """One decorated function, or method of a view class: which of its arguments are parameters, how to call it.

    `method` is the HTTP method that a function was decorated with; a method of a class has that of its name or of its
    viewset's route.
    """

    refusals: ClassVar[tuple[type[Exception], ...]] = answers.NO
    upload = UploadedFile
    acts: ClassVar[bool] = True
    for_browsers: ClassVar[bool] = False  # so that what protects a form stays in front of it

    def __init__(
        self,
        guard: Guard,
        name: str,
        function: Callable[..., Any],
        said: Terms,
        method: str | None,
    ) -> None:
        first = next(iter(inspect.signature(function).parameters.values()), None)
        self.is_method = first is not None and first.name == "self"
        self.view: Callable[[], Any] | None = None  # makes one of the class, once its route is known
        self.said_method = method
        super().__init__(guard, name, function, said)
        self._check_can_be_called()

    def endpoint(self, guard: Guard) -> Callable[..., HttpResponse]:
        """Give the view that Django sees: it takes the request and what the route reads of the path."""

        def guarded(*given: Any, **path: Any) -> HttpResponse:  # noqa: ANN401 - the view's own self, and what converters give
            view, request = given if self.is_method else (None, *given)
            native = getattr(request, "_request", request)  # within that of Django REST framework
            return guard.responded(native, lambda found: self._acted(guard, found, path), view, self)

        guarded.__name__, guarded.__doc__ = self.function.__name__, self.function.__doc__
        guarded.__module__, guarded.__qualname__ = self.function.__module__, self.function.__qualname__
        setattr(guarded, rest.MARK, self)
        return guarded

    def is_beside(self, found: inspect.Parameter, plain: Any, marks: Sequence[Any]) -> bool:  # noqa: ANN401, ARG002 - parts of a signature
        """Take `self` of a method; raises ValueError for the request, of which nothing is shown or signed."""
        is_request = inspect.isclass(plain) and issubclass(plain, HttpRequest)
        if is_request or (found.name == "request" and found.annotation is typed.EMPTY):
            raise ValueError(
                f"action {self.name}: {found.name} is the whole request, which nobody has signed: take arguments"
            )
        return self.is_method and found.name == "self"

    def _parameter(self, argument: str, plain: Any, annotation: Any, said: typed.Said) -> Field:  # noqa: ANN401 - parts of a signature
        if not serializers.is_one(plain):
            return super()._parameter(argument, plain, annotation, said)
        if said.source == "query":
            raise ValueError(f"{argument}: a serializer stands in the body or a form")
        field = serializers.field(argument, plain)
        self._sources |= dict.fromkeys(field.names, said.source or "body")
        return field

    def publish(self, said: HandlerOptions) -> Guarded:
        """Give what the guard registers; a method of a class runs when its route is known, and not before."""
        made = super().publish(said)

        def normalise(given: dict[str, Any]) -> dict[str, Any]:
            if self.is_method and self.view is None:
                raise Refusal(Reason.INTERNAL, f"no route of {self.function.__qualname__} is known to guard.bind")
            return made.normalise(given)

        return replace(made, normalise=normalise)

    def http_method(self, routed: str | None) -> str:
        """Give the method to publish for a route; raises ValueError where two are said."""
        name = self.function.__name__ if self.is_method else ""
        found = {said.upper() for said in (self.said_method, routed or (name if name in _METHODS else None)) if said}
        if len(found) > 1:
            raise ValueError(f"action {self.name}: method= says another than its route: {sorted(found)}")
        return next(iter(found), "POST")

    async def run(self, parameters: dict[str, Any], act: Act, contents: Mapping[str, bytes] = typed.NO_FILES) -> Answer:
        """Execute the act; what is raised to say no is an answer too."""
        return await self.guard.call(lambda: self._executed(parameters, act, contents), "place")  # type: ignore[no-any-return]  # what it calls gives one

    async def _acted(self, guard: Guard, request: exchange.Request, path: Mapping[str, Any]) -> Answer:
        self.check_bound()
        guarded = guard.actions[self.name]
        if request.method != guarded.action.method:
            return exchange.of_other_method(request, [guarded.action.method])
        given = reading.given(guarded, request, self.texts(path), self.beside)
        return await guard.perform(self.with_files(guarded, given), given, request)

    def uploaded(self, file: Upload) -> UploadedFile:
        """Give a file as Django has it; raises ValueError for a name that Django would change."""
        return uploads.made(file)

    def check_bound(self) -> None:
        """Refuse to run where no route is known that could have been published."""
        if not self.bound:
            raise Refusal(Reason.INTERNAL, f"no route of {self.name} was found: put what the guard gives into path()")

    def texts(self, path: Mapping[str, Any]) -> dict[str, str]:
        """Give the texts of what the route has read of the path."""
        return {name: _text(name, value) for name, value in path.items()}

    def _executed(self, parameters: dict[str, Any], act: Act | None, contents: Mapping[str, bytes]) -> Answer:
        """Run the handler in the transactions of ATOMIC_REQUESTS, which end before its outcome is written down."""
        try:
            given = self.named(parameters, act, contents)
        except Refusal as refusal:  # of a serializer that looks into the database: what was free no longer is
            return exchange.of_refusal(refusal)
        try:
            with ExitStack() as transactions:
                for alias in self._atomic():
                    transactions.enter_context(transaction.atomic(using=alias))
                return answers.of_result(self.function(*self._instance(), **given))
        except self.refusals as error:
            return answers.of_error(error)

    def _atomic(self) -> Iterator[str]:
        spared = getattr(self.function, "_non_atomic_requests", ())
        for alias, settings in connections.settings.items():
            if settings["ATOMIC_REQUESTS"] and alias not in spared:
                yield alias

    def _instance(self) -> tuple[Any, ...]:
        """Give the view whose method is called: the one that Django has made, or one for an act by its name."""
        if not self.is_method or self.view is None:
            return ()
        request, view = VISITED.get()
        if view is None:
            view = self.view()
            view.setup(request)
        return (view,)

    def _check_can_be_called(self) -> None:
        """Raise ValueError where a decorator beneath makes a function that asks for the request."""
        names = [field.argument for field in self.parameters.fields] + ([self._act] if self._act else [])
        try:
            inspect.signature(self.function, follow_wrapped=False).bind(
                *["self"] * self.is_method, **dict.fromkeys(names)
            )
        except TypeError as error:
            raise ValueError(
                f"action {self.name}: the handler takes no arguments by name ({error}): decorators that take the "
                "request stand above @guard.action(…)"
            ) from error


def outside_transactions(view: Callable[..., Any]) -> None:
    """Keep ATOMIC_REQUESTS off a view: what runs in it has its own, which end before an outcome is written down."""
    for alias in connections:
        transaction.non_atomic_requests(alias)(view)


def _text(name: str, value: object) -> str:
    """Give the text of what a converter has read; one that makes objects of it would hide what was signed."""
    if not isinstance(value, str | int | UUID):
        raise Refusal(Reason.INTERNAL, f"the converter of {name} gives {type(value).__name__}, no text or integer")
    return str(value)
