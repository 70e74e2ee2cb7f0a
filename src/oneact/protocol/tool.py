"""Calls of tools: the members of `_meta` by which an act is asked for, and the octets that its receipt is for. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import rfc8785

from oneact.protocol import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

MEMBERS: Final = "oneact/"  # with which all of them begin
AUTHORIZATION: Final = "oneact/authorization"
PROOF: Final = "oneact/dpop"
ACCEPT: Final = "oneact/accept-txn-challenge"
RECEIPT: Final = "oneact/receipt"
SALT: Final = "oneact/result-salt"
PENDING: Final = "oneact/pending"
REFUSED: Final = "oneact/refusal"
_BESIDE: Final = frozenset({"_meta", "resultType"})


def octets(result: Mapping[str, Any]) -> bytes:
    """Give the octets that a receipt is for: the result without `_meta` and `resultType`, after RFC 8785.

    Numbers are doubles there, so integers beyond 2^53-1 are the nearest one. Raises ValueError for what has none.
    """
    told = {name: _doubled(value) for name, value in result.items() if name not in _BESIDE}
    if told.get("isError") is False:  # the same as not saying so
        del told["isError"]
    return rfc8785.dumps(told)


def _doubled(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {name: _doubled(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_doubled(inner) for inner in value]
    if isinstance(value, int) and abs(value) > canonical.MAX_INTEGER:
        try:
            return float(value)
        except OverflowError as error:
            raise ValueError("a number beyond every double") from error
    return value
