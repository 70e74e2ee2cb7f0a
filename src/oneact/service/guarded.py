"""One guarded action: what is published of it, and the owner's functions behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import fitting
from oneact.service.multipart import NO_FILES, Room

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from oneact.protocol.action import Action
    from oneact.protocol.canonical import Json
    from oneact.service.act import Act
    from oneact.service.exchange import Answer

DEADLINE: Final = 30

Parameters = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Guarded:
    """A guarded action.

    `normalise` makes of what a request gave, flat, the guard's own validated object in JSON form with defaults filled
    in. `run` executes the act with that object. `quote` states the terms, `holds` tells whether terms stated earlier
    still stand (where it is None, they are stated again and have to be equal). `deadline` is in seconds. `blocking`
    tells that `run` blocks one of the guard's threads, `spends` that the handler calls `guard.spend`. `personal` tells
    that the terms depend on who asks: then `quote` and `holds` are given the `Asker` as a last argument, and an offer
    is made to an asking token alone. `room` says how many octets its body may have.
    """

    action: Action
    normalise: Callable[[Parameters], Parameters]
    run: Callable[[Parameters, Act], Awaitable[Answer]]
    quote: Callable[..., Awaitable[Parameters]] | None = None
    holds: Callable[..., Awaitable[bool]] | None = None
    deadline: int = DEADLINE
    blocking: bool = False
    spends: bool = False
    personal: bool = False
    room: Room = NO_FILES


def by_schema(described: Mapping[str, Json]) -> Callable[[Parameters], Parameters]:
    """Give the normaliser of an action that is described by a schema alone: fill in the defaults, then validate."""
    root = dict(described)

    def normalise(given: Parameters) -> Parameters:
        filled = fitting.fill(root, given)
        try:
            fitting.validate(root, filled)
        except Refusal as refusal:
            field = field_at_fault(root, filled)
            detail = f"{field}: {refusal.detail}" if field else refusal.detail
            raise Refusal(refusal.reason, detail, field) from refusal
        if not isinstance(filled, dict):
            raise Refusal(Reason.PARAMETERS_INVALID, "not an object")
        return filled

    return normalise


def field_at_fault(root: Mapping[str, Json], given: Json) -> str:
    """Name the first property of the schema that `given` lacks or that does not fit; empty where it is none of them."""
    properties, required = root.get("properties"), root.get("required")
    if not isinstance(properties, dict) or not isinstance(given, dict):
        return ""
    absent = [name for name in required if name not in given] if isinstance(required, list) else []
    unfit = (name for name, node in properties.items() if name in given and not _fits(root, node, given[name]))
    return next((name for name in properties if name in absent), None) or next(unfit, "")


def _fits(root: Mapping[str, Json], node: Json, value: Json) -> bool:
    try:
        fitting.validate({"$defs": root.get("$defs", {}), **(node if isinstance(node, dict) else {})}, value)
    except Refusal:
        return False
    return True


def merge(*sources: Mapping[str, Json]) -> Parameters:
    """Put what path, query and body gave side by side; refuses `parameter_repeated` where two give one name."""
    merged: Parameters = {}
    for source in sources:
        for name, value in source.items():
            if name in merged:
                raise Refusal(Reason.PARAMETER_REPEATED, repr(name))
            merged[name] = value
    return merged
