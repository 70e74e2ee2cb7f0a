"""One read of a Flask application: the view as Flask calls it, behind the check of the read token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app, request

from oneact.service import environ
from oneact.service.exchange import Answer
from oneact.service.flask.handler import response, written
from oneact.service.typed import reader as typed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from flask import Response

    from oneact.service.flask.guard import Guard


class Reader(typed.Reader):
    """One decorated function, which takes what its rule reads of the path."""

    def __init__(self, guard: Guard, name: str, intent: str, function: Callable[..., Any]) -> None:
        super().__init__(guard, name, intent, function)
        self.guard = guard

    def bind(self, methods: Collection[str], path: str, in_path: Collection[str]) -> None:
        """Publish the read at its path; raises ValueError for a rule that the function cannot take."""
        self.check_takes(0, in_path)
        self.publish(methods, path)

    def endpoint(self) -> Callable[..., Response]:
        """Give the function that Flask sees."""

        def guarded(**path: Any) -> Response:  # noqa: ANN401 - what converters give
            known = self.guard.known(self.name, request.method, request.path, lambda: environ.head(request.environ))
            if isinstance(known, Answer):
                return response(known)
            return current_app.make_response(written(self.function(**path, **self.told(known))))

        guarded.__name__, guarded.__doc__ = self.function.__name__, self.function.__doc__
        guarded.__module__ = self.function.__module__
        guarded.oneact_reader = self  # type: ignore[attr-defined]  # how `bind` knows the rule
        return guarded
