"""Rows of check 1: one token as DPoP, one proof, within their sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.conformance.fault import Fault, put
from oneact.conformance.row import Group, accepted, refusal
from oneact.errors import Reason
from oneact.protocol import dpop, token

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.conformance.fault import Fields


def _with(name: str, change: Callable[[str], list[str]]) -> Callable[[Fields], Fields]:
    """Give the values that `change` makes of the one value of a header field."""
    return lambda fields: [
        (field, value) for field, old in fields for value in (change(old) if field == name else [old])
    ]


GROUP: Final = Group(
    "Check 1: the header fields",
    (
        accepted("1.0", "nothing wrong", "a right request", Fault()),
        refusal(
            "1.1", "as Bearer", "the token under the scheme Bearer", Reason.AUTHORIZATION_NOT_DPOP,
            Fault(fields=_with("Authorization", lambda value: [value.replace("DPoP ", "Bearer ", 1)])),
        ),
        refusal(
            "1.2", "two Authorization", "the right Authorization twice", Reason.AUTHORIZATION_REPEATED,
            Fault(fields=_with("Authorization", lambda value: [value, value])),
        ),
        refusal(
            "1.3", "no proof", "no DPoP header", Reason.PROOF_MISSING,
            Fault(fields=_with("DPoP", lambda _: [])),
        ),
        refusal(
            "1.4", "two proofs", "the right DPoP header twice", Reason.PROOF_REPEATED,
            Fault(fields=_with("DPoP", lambda value: [value, value])),
        ),
        refusal(
            "1.5", "token too large", f"a token of more than {token.MAX_OCTETS} octets, long by its acr",
            Reason.TOKEN_TOO_LARGE, Fault(claims=lambda right: {**right, "acr": "x" * 2000, "amr": ["y" * 2000]}),
        ),
        refusal(
            "1.6", "proof too large", f"a proof of more than {dpop.MAX_OCTETS} octets, long by an extra member",
            Reason.PROOF_TOO_LARGE, Fault(proof_claims=put(extra="x" * dpop.MAX_OCTETS)),
        ),
    ),
)  # fmt: skip
