"""The rules of a Flask application: what is published of one, and that none runs a handler past the guard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from werkzeug.routing import FloatConverter

from oneact.service.typed import order

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from flask import Flask
    from werkzeug.routing import Rule

_VARIABLE: Final = re.compile(r"<(?:[A-Za-z_][A-Za-z0-9_]*(?:\(.*?\))?:)?([A-Za-z_][A-Za-z0-9_]*)>")
_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_UNASKED: Final = frozenset({"HEAD", "OPTIONS"})  # Flask adds them to what a rule says


def of(app: Flask) -> Iterator[tuple[Rule, Callable[..., Any]]]:
    """Give every rule of an application with the function that it runs."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions.get(rule.endpoint)
        if view is not None:
            yield rule, view


def below(prefixes: Iterable[str]) -> list[str]:
    """Give the rules of prefixes: one with a final slash stands for all below it too, another for itself."""
    return [rule for at in prefixes for rule in ((at, at + "<path:_>") if at.endswith("/") else (at,))]


def check_is_not_raw(rule: Rule, view: Callable[..., Any], guarded: Collection[Callable[..., Any]]) -> None:
    """Raise ValueError where a rule runs one of the guarded functions itself, also as the method of a view class."""
    made_of = getattr(view, "view_class", None)
    methods = [getattr(made_of, method.lower(), None) for method in rule.methods or ()]
    for function in (view, *methods):
        order.check_is_not_raw(rule.rule, function, guarded)


def uncovered(app: Flask, own: object) -> Iterator[str]:
    """Give each rule that changes something and is not guarded, by method and path; `own` is the guard's view."""
    for rule, view in of(app):
        changing = sorted(_CHANGING & (rule.methods or set()))
        if changing and view != own and not hasattr(view, "oneact_handler"):
            yield f"{', '.join(changing)} {rule.rule}"


def published(rule: Rule) -> tuple[str, str, list[str]]:
    """Give method, path and the path's names of a rule; raises ValueError for one that reads more than the path.

    A fraction is refused since nobody would know which spelling of it was signed.
    """
    names = _VARIABLE.findall(rule.rule)
    if set(names) != rule.arguments or rule.defaults:
        raise ValueError(f"{rule.rule}: a guarded rule reads its path alone, without defaults=, host or subdomain")
    fractions = [name for name in names if isinstance(rule._converters[name], FloatConverter)]  # noqa: SLF001 - the one place that knows
    if fractions:
        raise ValueError(f"{rule.rule}: {fractions[0]} is a fraction; take it as a string and annotate it Decimal")
    return next(iter(methods_of(rule)), "POST"), _VARIABLE.sub(r"{\1}", rule.rule), names


def methods_of(rule: Rule) -> list[str]:
    """Give the methods that a rule takes of those who ask for more than what there is."""
    return sorted((rule.methods or set()) - _UNASKED)
