"""JSON as text: the one text of a value (RFC 8785), which a parameter may hold. PURE."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import rfc8785

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json

_INVALID: Final = Reason.PARAMETERS_INVALID


def of(value: Any) -> str:  # noqa: ANN401 - JSON with fractions
    """Give the canonical JSON text of a value; refuses `parameters_invalid` for what is none."""
    try:
        return rfc8785.dumps(value).decode()
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise Refusal(_INVALID, f"no canonical JSON: {error}") from error


def read(text: str) -> Any:  # noqa: ANN401 - JSON with fractions
    """Give the value of a text; raises ValueError for what is no JSON.

    An integer that only a number with a fraction can hold is one: canonical texts write both alike.
    """
    return json.loads(text, parse_int=_number, parse_constant=_no_constant)


def given(text: str) -> Any:  # noqa: ANN401 - JSON with fractions
    """Read what a program gave, numbers with fractions among it; refuses `json_malformed`, `json_duplicate_key`."""
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=canonical.members)
    except (ValueError, RecursionError) as error:
        raise Refusal(Reason.JSON_MALFORMED, f"no JSON: {error}") from error


def check(name: str, given: Json) -> None:
    """Refuse `parameters_invalid`, with the name of the parameter, for a text that is not the one text of its value."""
    try:
        same = of(read(str(given))) == given
    except (Refusal, ValueError, RecursionError) as error:
        raise Refusal(_INVALID, f"{name} is no JSON", name) from error
    if not same:
        raise Refusal(_INVALID, f"{name} is not canonical JSON", name)


def strict(value: Any) -> Any:  # noqa: ANN401 - what a program gave, and the same
    """Read a value as strictly as one that came as octets; refuses `parameters_invalid`."""
    try:
        return canonical.parse(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
    except (Refusal, TypeError, ValueError, RecursionError) as error:
        raise Refusal(_INVALID, f"no strict JSON: {error}") from error


def _number(text: str) -> int | float:
    found = float(text)
    return int(text) if abs(found) <= canonical.MAX_INTEGER else found


def _no_constant(found: str) -> Any:  # noqa: ANN401 - it gives nothing
    raise ValueError(found)
