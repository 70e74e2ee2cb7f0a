"""Other values for the parameters of an action, found by its schema alone."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Refusal
from oneact.protocol import canonical, fitting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oneact.conformance.fault import Members
    from oneact.protocol.action import Action

_MOST: Final = 12
_NEW: Final[tuple[Any, ...]] = (1, 2, True, False, "x", "conformance", "A", [], {}, ["x"])


def others(action: Action, parameters: Members, name: str) -> Iterator[Any]:
    """Give values for one parameter that the schema takes and that are other than what stands or is filled in there."""
    schema: Any = action.schema
    now: Any = fitting.fill(schema, dict(parameters))
    node: Any = schema.get("properties", {})[name]
    known = [now[name]] if name in now else []
    near = [value for item in known for value in _near(item)]
    taken = {canonical.comparable(value) for value in known}
    found = 0
    for value in [*node.get("enum", []), *near, *_NEW]:
        if canonical.comparable(value) not in taken and fits(action, {**parameters, name: value}) and found < _MOST:
            found += 1
            yield value


def names(action: Action) -> tuple[list[str], list[str]]:
    """Give the names of the parameters that an action needs, and of those that it takes."""
    properties: Any = action.schema.get("properties", {})
    required: Any = action.schema.get("required", [])
    return [name for name in properties if name in required], [name for name in properties if name not in required]


def fits(action: Action, parameters: Members) -> bool:
    """Tell whether parameters fit an action's schema."""
    schema: Any = action.schema
    try:
        fitting.validate(schema, fitting.fill(schema, dict(parameters)))
    except Refusal:
        return False
    return True


def other_terms(terms: Members) -> Members:
    """Give terms of which one value is another."""
    name = next(iter(sorted(terms)))
    return {**terms, name: next(_near(terms[name]))}


def _near(value: Any) -> Iterator[Any]:  # noqa: ANN401 - any JSON
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, str):
        yield from _texts(value)
    elif isinstance(value, list):
        yield from ([*value[:at], other, *value[at + 1 :]] for at, item in enumerate(value) for other in _near(item))
        yield value[:-1] if value else ["x"]
    elif isinstance(value, dict):
        yield from ({**value, name: other} for name, item in value.items() for other in _near(item))
    else:
        yield "x"


def _texts(value: str) -> Iterator[str]:
    """Change one character to its neighbour of the same kind, from the last one on; then a text longer, and shorter."""
    for at in range(len(value) - 1, -1, -1):
        for kind in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
            if value[at] in kind:
                other = kind[(kind.index(value[at]) + 1) % len(kind)]
                yield value[:at] + other + value[at + 1 :]
    yield from (value + "x", value[:-1])
