"""One read of a Django site: the view as Django calls it, behind the check of the read token."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ClassVar

from django.http.response import HttpResponseBase

from oneact.service.django import answers, incoming, rest
from oneact.service.exchange import Answer
from oneact.service.typed import reader as typed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from django.http import HttpRequest

    from oneact.service.django.guard import Guard


class Reader(typed.Reader):
    """One decorated function, or method of a view class, which takes the request and what its route reads."""

    acts: ClassVar[bool] = False
    for_browsers: ClassVar[bool] = False

    def __init__(self, guard: Guard, name: str, intent: str, function: Callable[..., Any]) -> None:
        super().__init__(guard, name, intent, function)
        self.is_method = next(iter(inspect.signature(function).parameters), None) == "self"

    def endpoint(self, guard: Guard) -> Callable[..., HttpResponseBase]:
        """Give the view that Django sees."""

        def guarded(*given: Any, **path: Any) -> HttpResponseBase:  # noqa: ANN401 - the view's own self, and what converters give
            request: HttpRequest = getattr(given[-1], "_request", given[-1])  # within that of Django REST framework
            guard.bind(getattr(request, "urlconf", None))
            known = guard.known(self.name, str(request.method), request.path_info, lambda: incoming.head(request))
            if isinstance(known, Answer):
                return answers.response(known)
            made = self.function(*given, **path, **self.told(known))
            return made if isinstance(made, HttpResponseBase) else answers.response(answers.of_result(made))

        guarded.__name__, guarded.__doc__ = self.function.__name__, self.function.__doc__
        guarded.__module__, guarded.__qualname__ = self.function.__module__, self.function.__qualname__
        setattr(guarded, rest.MARK, self)
        return guarded

    def bind(self, routed: str | None, path: str, in_path: Collection[str]) -> None:
        """Publish the read at its path; raises ValueError for a route that is no GET, or that it cannot take.

        `routed` is the method of the route, None for a function, which takes what comes and refuses all but GET.
        """
        self.check_takes(1 + self.is_method, in_path)
        self.publish([(routed or "GET").upper()], path)
