"""Rows of check 9: what the person signed names this issuer, agent, key, time and item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from oneact.conformance import making
from oneact.conformance.fault import Fault, drop, put, shift
from oneact.conformance.row import Group, Row, accepted, refusal
from oneact.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.conformance.fault import Members

_OTHER: Final = "https://other.example"
_MOST: Final = 20


def _acts(change: Callable[[list[str]], list[Any]]) -> Callable[[Members], Members]:
    return lambda right: {**right, "acts": change(right["acts"])}


def _padded(count: int) -> Callable[[list[str]], list[str]]:
    """Give the right item among others, `count` in all."""
    return lambda right: [*right, *(making.other_digest(f"item {number}") for number in range(count - 1))]


def _longer(statement: Members, seconds: int, count: int) -> Members:
    return _acts(_padded(count))({**statement, "exp": statement["iat"] + seconds})


def _malformed(number: str, name: str, sent: str, change: Callable[[Members], Members]) -> Row:
    return refusal(number, name, sent, Reason.STATEMENT_MALFORMED, Fault(statement=change))


def _of(number: str, name: str, sent: str, **members: str) -> Row:
    """Give the row of a statement whose item is made with other parts than the service's."""
    return refusal(number, name, sent, Reason.STATEMENT_ITEM, Fault(item=put(**members)))


GROUP: Final = Group(
    "Check 9: the statement",
    (
        refusal("9.1", "another issuer", f"iss {_OTHER}", Reason.STATEMENT_ISSUER, Fault(statement=put(iss=_OTHER))),
        refusal(
            "9.2", "another client", "client_id of another agent", Reason.STATEMENT_CLIENT,
            Fault(statement=put(client_id="https://agent.example/other")),
        ),
        refusal(
            "9.3", "another key", "jkt of another agent's key", Reason.STATEMENT_KEY,
            Fault(statement=put(jkt=making.other_digest("key"))),
        ),
        refusal(
            "9.4", "approved after the token", "iat 3 s after the token's", Reason.STATEMENT_TIME,
            Fault(statement=shift(iat=3)),
        ),
        refusal(
            "9.5", "token outlives it", "exp 1 s before the token's", Reason.STATEMENT_TIME, Fault(statement=shift(exp=-31))
        ),
        refusal("9.6", "one act, 61 s", "61 s for one act", Reason.STATEMENT_LIFETIME, Fault(statement=shift(exp=1))),
        refusal(
            "9.7", "two acts, 121 s", "121 s for two acts", Reason.STATEMENT_LIFETIME,
            Fault(statement=lambda right: _longer(right, 121, 2)),
        ),
        refusal(
            "9.8", "item missing", "the item of another act alone", Reason.STATEMENT_ITEM,
            Fault(statement=_acts(lambda _: [making.other_digest("item")])),
        ),
        _of("9.9", "item of another service", f"an item for {_OTHER}", aud=_OTHER),
        _of("9.10", "item of another person", "an item for another sub", sub="another"),
        _of("9.11", "item of another transaction", "an item for another txn", txn="A" * 76),
        _of("9.12", "item of another act", "an item for another act digest", act=making.other_digest("act")),
        refusal(
            "9.13", "shown otherwise", "the item of lines of which one was left out", Reason.STATEMENT_ITEM,
            Fault(display=lambda right: right[:-1]),
        ),
        refusal(
            "9.14", "shown prettier", "the item of lines of which one has another text", Reason.STATEMENT_ITEM,
            Fault(display=lambda right: [*right[:-1], [*right[-1][:3], "nothing much"]]),
        ),
        _malformed("9.15", "no act", "acts empty", _acts(lambda _: [])),
        _malformed("9.16", "21 acts", "the right item among 21", _acts(_padded(_MOST + 1))),
        _malformed("9.17", "an act twice", "the right item twice", _acts(lambda right: right * 2)),
        _malformed("9.18", "an act of 42 characters", "the right item beside one cut short", _acts(lambda right: [*right, right[0][:-1]])),
        _malformed("9.19", "acts no array", "the right item as a text", lambda right: {**right, "acts": right["acts"][0]}),
        _malformed("9.20", "unknown member", "a member that no statement has", put(scope="all")),
        _malformed("9.21", "no nonce", "no nonce", drop("nonce")),
        _malformed("9.22", "short nonce", "a nonce of 15 octets", put(nonce="A" * 20)),
        refusal(
            "9.23", "no approval", "a token without approvals", Reason.STATEMENT_MALFORMED, Fault(approvals=lambda _: [])
        ),
        refusal(
            "9.24", "unknown member beside it", "an approval with a member that none has", Reason.STATEMENT_MALFORMED,
            Fault(approvals=lambda right: [{**right[0], "note": "x"}]),
        ),
        accepted(
            "9.25", "a batch", "the right item among 20, good for 120 s",
            Fault(statement=lambda right: _longer(right, 120, _MOST)),
        ),
    ),
)  # fmt: skip
