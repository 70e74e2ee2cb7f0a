"""The routes of a Django site: what is published of one, and that none runs a handler past the guard."""

from __future__ import annotations

import re
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings as site
from django.db import connections, transaction
from django.urls import URLPattern, converters
from django.urls.resolvers import RegexPattern, RoutePattern

from oneact.service.django import rest
from oneact.service.django.reader import Reader
from oneact.service.typed import order

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from django.urls import URLResolver

    from oneact.service.django.handler import Handler

_TAKEN: Final = frozenset(
    {converters.StringConverter, converters.SlugConverter, converters.UUIDConverter, converters.IntConverter}
)
_VARIABLE: Final = re.compile(r"<(?:[^>:]*:)?([^>]+)>")
_PLAIN: Final = re.compile(r"((?:[A-Za-z0-9_/~-]|\\[-./])+)|\(\?P<([A-Za-z_][A-Za-z0-9_]*)>(?:[^()\\]|\\[wd.])+\)")
_UNGUARDED: Final = frozenset({"options", "head", "trace"})  # which classes answer by themselves
_READS: Final = frozenset({"get"})  # for which nobody forges a form
_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_LOGIN: Final = "django.contrib.auth.middleware.LoginRequiredMiddleware"
_ADVICE: Final = "put what @guard.action(…) gives into path(), above it only decorators that take the request"


@dataclass(frozen=True, slots=True)
class Part:
    """What one HTTP method of a route runs, None being all of them; `handler` is the guarded one within, if any."""

    method: str | None
    runs: tuple[Any, ...]
    handler: Handler | Reader | None

    def bind(self, route: Route) -> None:
        """Publish the handler's route; the first one counts. Raises ValueError for one that cannot be published."""
        if self.handler is None or self.handler.bound:
            return
        if isinstance(self.handler, Reader):
            self.handler.bind(self.method, *route.published())
            return
        self.handler.bind(self.handler.http_method(self.method), *route.published())
        if self.handler.is_method:
            made_of, settings = route.view_class(), getattr(route.view, "view_initkwargs", None)
            assert made_of is not None
            self.handler.view = lambda: made_of(**(settings or getattr(route.view, "initkwargs", {})))

    def methods(self) -> set[str] | None:
        """Give the HTTP methods that it takes; None where nothing says so."""
        if self.method is not None:
            return {self.method.upper()}
        found = [set(said) for function in self.runs if (said := _kept(function, "request_method_list"))]
        return set.intersection(*found) if found else None


@dataclass(frozen=True, slots=True)
class Route:
    """One pattern with those around it, from the root."""

    patterns: tuple[Any, ...]
    view: Callable[..., Any]
    extra: bool

    def __str__(self) -> str:
        """Give it as error messages name it."""
        return "/" + "".join(str(pattern) for pattern in self.patterns)

    def view_class(self) -> type | None:
        """Give the class of which the view makes an instance for each request, if there is one."""
        return getattr(self.view, "view_class", None) or getattr(self.view, "cls", None)

    def parts(self) -> list[Part]:
        """Give what it runs for each method."""
        made_of = self.view_class()
        if made_of is None:
            return [_part(None, self.view)]
        methods = getattr(self.view, "actions", None) or {name: name for name in made_of.http_method_names}  # type: ignore[attr-defined]  # a view class
        found = sorted(methods.items())  # some keep them in a set, and the first one that is guarded is published
        return [_part(method, getattr(made_of, name)) for method, name in found if getattr(made_of, name, None)]

    def published(self) -> tuple[str, list[str]]:
        """Give the path and its names; raises ValueError for a route that nobody could write as one path."""
        if self.extra:
            raise ValueError(f"{self}: a guarded route gives its handler nothing but its path, no dict of arguments")
        pieces = [_template(self, pattern) for pattern in self.patterns]
        path = "/" + "".join(piece for piece, _ in pieces)
        return path, [name for _, names in pieces for name in names]


def of(resolver: URLResolver, around: tuple[Any, ...] = (), *, extra: bool = False) -> Iterator[Route]:
    """Give every route below a resolver, as it stands from the root."""
    for found in resolver.url_patterns:
        patterns = (*around, found.pattern)
        if isinstance(found, URLPattern):
            yield Route(patterns, found.callback, extra or bool(found.default_args))
        else:
            yield from of(found, patterns, extra=extra or bool(found.default_kwargs))


def below(prefixes: Iterable[str]) -> list[str]:
    """Give the routes of prefixes: one with a final slash stands for all below it too, another for itself."""
    return [route for at in prefixes for route in ((at[1:], at[1:] + "<path:_>") if at.endswith("/") else (at[1:],))]


def check_is_at_root(route: Route) -> None:
    """Raise ValueError where the guard's own addresses stand below a prefix."""
    if len(route.patterns) > 1:
        raise ValueError(f"{route}: guard.urls stand in the root URLconf: resource= says where their paths lie")


def check_is_not_raw(route: Route, guarded: Collection[Callable[..., Any]]) -> None:
    """Raise ValueError where a route runs one of the guarded functions itself, also as the method of a view class."""
    for part in route.parts():
        for function in part.runs:
            order.check_is_not_raw(str(route), function, guarded, _ADVICE)


def uncovered(resolver: URLResolver, own: object) -> Iterator[str]:
    """Give each route that may change something and is not guarded, by method and path; `own` is the guard's view.

    A function takes whatever method comes, unless Django's own decorator above it says which.
    """
    for route in of(resolver):
        plain = [part for part in route.parts() if part.handler is None]
        if route.view is own or not plain:
            continue
        said = [part.methods() for part in plain]
        changing = sorted(set().union(*(found or () for found in said)) & _CHANGING)
        if None in said:
            yield f"any method {route}"
        elif changing:
            yield f"{', '.join(changing)} {route}"


def keep_for_browsers(route: Route) -> None:
    """Take a class with a form out of ATOMIC_REQUESTS; raises ValueError where its other methods need something else.

    What protects its form, against forged ones and callers who are not signed in, stays in front of it.
    """
    made_of = route.view_class()
    if made_of is None:
        return
    rest.check_lets_agents_through(str(route), made_of)
    agents = [part.method for part in route.parts() if part.handler is not None and not part.handler.for_browsers]
    if agents:
        raise ValueError(f"{route}: {agents} are for agents, who have no form's token: give them a view of their own")
    _outside_transactions(route)


def open_to_agents(route: Route) -> None:
    """Take off a class of guarded methods what stops an agent; raises ValueError where other methods need it."""
    made_of = route.view_class()
    if made_of is None:
        return
    rest.check_lets_agents_through(str(route), made_of)
    mixed, acts = _mixed(route), any(part.handler is not None and part.handler.acts for part in route.parts())
    if acts and not _READS.issuperset(mixed) and not getattr(route.view, "csrf_exempt", False):
        raise ValueError(f"{route}: write csrf_exempt(…as_view()); agents have no form's token, {mixed} may need one")
    if acts:
        _outside_transactions(route)
    if mixed and _LOGIN in site.MIDDLEWARE and getattr(route.view, "login_required", True):
        raise ValueError(f"{route}: write login_not_required(…as_view()), and have {mixed} ask for themselves")
    if acts:
        route.view.csrf_exempt = True  # type: ignore[attr-defined]  # as the decorator does
    route.view.login_required = False  # type: ignore[attr-defined]  # the same


def _mixed(route: Route) -> list[str | None]:
    return [part.method for part in route.parts() if part.handler is None and part.method not in _UNGUARDED]


def _outside_transactions(route: Route) -> None:
    mixed = _mixed(route)
    atomic = {alias for alias, settings in connections.settings.items() if settings["ATOMIC_REQUESTS"]}
    if mixed and not atomic <= getattr(route.view, "_non_atomic_requests", set()):
        raise ValueError(f"{route}: write transaction.non_atomic_requests(…as_view()), since {mixed} stand beside it")
    for alias in atomic:
        transaction.non_atomic_requests(alias)(route.view)


def _part(method: str | None, view: Callable[..., Any]) -> Part:
    """Follow a view through its decorators, also those that keep it in their closure, to what is guarded."""
    runs, handler, waiting = [], None, [view]
    while waiting:
        found = waiting.pop()
        if hasattr(found, rest.MARK):
            handler = getattr(found, rest.MARK)
        elif found not in runs:
            runs.append(found)
            waiting += _wrapped(found)
    return Part(method, tuple(runs), handler)


def _wrapped(function: Any) -> list[Any]:  # noqa: ANN401 - any callable
    cells = [cell.cell_contents for cell in getattr(function, "__closure__", None) or () if _is_filled(cell)]
    return [*order.chain(function)[1:], *(found for found in cells if isinstance(found, types.FunctionType))]


def _kept(function: Any, name: str) -> Any:  # noqa: ANN401 - any callable
    """Give what a function keeps in its closure under a name, if it does."""
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    cells = dict(zip(names, getattr(function, "__closure__", None) or (), strict=False))
    return cells[name].cell_contents if name in cells and _is_filled(cells[name]) else None


def _is_filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # of a function that is only being defined
        return False


def _template(route: Route, pattern: Any) -> tuple[str, list[str]]:  # noqa: ANN401 - one of Django's kinds of pattern
    if isinstance(pattern, RoutePattern):
        if not isinstance(pattern._route, str):  # noqa: SLF001 - the one place that knows
            raise ValueError(f"{route}: {pattern} is translated, another path in each language")  # noqa: TRY004 - a mistake like any other
        strange = [name for name, converter in pattern.converters.items() if type(converter) not in _TAKEN]
        if strange:
            raise ValueError(f"{route}: {strange[0]} is read by a converter other than str, slug, int and uuid")
        return _VARIABLE.sub(r"{\1}", pattern._route), list(pattern.converters)  # noqa: SLF001 - the one place that knows
    written = pattern._regex if isinstance(pattern, RegexPattern) else None  # noqa: SLF001 - the same
    text = written.removeprefix("^").removesuffix("$") if isinstance(written, str) else f"<{pattern}>"
    pieces = list(_PLAIN.finditer(text))
    if "".join(piece[0] for piece in pieces) != text:
        raise ValueError(f"{route}: {text} is no path with named parts: write path() for a guarded route")
    named = [piece[2] for piece in pieces if piece[2]]
    return "".join(f"{{{piece[2]}}}" if piece[2] else piece[1].replace("\\", "") for piece in pieces), named
