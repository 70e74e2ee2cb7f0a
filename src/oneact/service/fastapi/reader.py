"""One read of a FastAPI application: the handler as FastAPI sees it, behind the check of the read token."""

from __future__ import annotations

import functools
import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request

from oneact.errors import Refusal
from oneact.service import asgi, exchange, readers
from oneact.service.fastapi.handler import response
from oneact.service.typed import reader as typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.service.fastapi.guard import Guard

_REQUEST: Final = "oneact_request"


class Reader(typed.Reader):
    """One decorated function, as FastAPI sees it."""

    def __init__(self, guard: Guard, name: str, intent: str, function: Callable[..., Any]) -> None:
        super().__init__(guard, name, intent, function)
        self.guard = guard

    def bind(self, path: str, methods: set[str]) -> None:
        """Publish the read at its path; raises ValueError for a route that takes more than GET."""
        plain = "".join(part if index % 2 == 0 else "{" + part.partition(":")[0] + "}" for index, part in _parts(path))
        self.publish(methods, plain)

    def endpoint(self) -> Callable[..., Any]:
        """Give the function that FastAPI sees: it takes what the handler takes, and the request beside it."""
        taken = inspect.signature(self.function).parameters.values()
        given = [found.replace(annotation=self.hints.get(found.name, Any)) for found in taken]
        whole = next((found.name for found in given if _is_request(found.annotation)), None)  # FastAPI fills only one

        async def guarded(**named: Any) -> Any:  # noqa: ANN401 - the owner's own arguments and answer
            request: Request = named[whole] if whole else named.pop(_REQUEST)
            self.guard.bind(request.app)
            try:
                found = replace(asgi.head(request.scope), native=request)
                reading = await readers.reading_of(self.guard, self.name, found)
            except Refusal as refusal:
                return response(exchange.refused(refusal, request.method, asgi.head(request.scope).path))
            return await self.guard.call(functools.partial(self.function, **named, **self.told(reading)))

        own = [] if whole else [inspect.Parameter(_REQUEST, inspect.Parameter.KEYWORD_ONLY, annotation=Request)]
        kept = [found.replace(kind=inspect.Parameter.KEYWORD_ONLY) for found in given if found.name != self.known]
        returned = self.hints.get("return", inspect.Signature.empty)
        guarded.__signature__ = inspect.Signature([*kept, *own], return_annotation=returned)  # type: ignore[attr-defined]  # functions have one
        guarded.__name__, guarded.__doc__ = self.function.__name__, self.function.__doc__
        guarded.oneact_reader = self  # type: ignore[attr-defined]  # how `bind` knows the route
        return guarded


def _is_request(annotation: object) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, Request)


def _parts(path: str) -> list[tuple[int, str]]:
    """Give the texts of a path and the names in its braces in turns."""
    return list(enumerate(path.replace("}", "{").split("{")))
