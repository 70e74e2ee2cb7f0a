"""What becomes of a row, and how what came is held against what was expected."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from oneact.protocol import display

if TYPE_CHECKING:
    import httpx

    from oneact.errors import Reason

_MARKUP: Final = re.compile(r"<(style|script|title).*?</\1>|<[^>]*>", re.DOTALL)
_SHOWN: Final = 160
_ERROR: Final = 400
_UNSPENT: Final = frozenset({3, 7, 8, 9, 10})  # the checks after the look-up, where nothing is spent
_ACT: Final = 6  # the one before it whose refusal may say the same
_CHALLENGED: Final = frozenset({"invalid_token", "invalid_dpop_proof", "use_dpop_nonce", "insufficient_authorization"})


class CannotRun(Exception):  # noqa: N818 - it says why, it is no fault of this program
    """The run cannot begin or go on: the service is not there, not linked, or does not publish the action."""


class Failed(Exception):  # noqa: N818 - the outcome of a row
    """A row went otherwise than it should: `expected`, and what `came` in its place."""

    def __init__(self, expected: str, came: str) -> None:
        super().__init__(f"expected {expected}; came {came}")
        self.expected = expected
        self.came = came


class Skipped(Exception):  # noqa: N818 - the outcome of a row
    """A row cannot be played at this service, and its text says why."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row: `status` is `passed`, `failed` or `skipped`.

    `brief` is what has to come in a word or two, `expected` all there is to say of it where something else came.
    `request` is the last one that was made, with its answer.
    """

    number: str
    name: str
    sent: str
    brief: str
    expected: str
    status: str
    came: str
    seconds: float
    request: dict[str, Any] = field(default_factory=dict)


def body(answer: httpx.Response) -> dict[str, Any]:
    """Give the JSON object of an answer; empty where there is none."""
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def told(answer: httpx.Response) -> str:
    """Say in a line what an answer is; all of it is the service's word, escaped."""
    said, kind = body(answer), answer.headers.get("content-type", "")
    if "oneact-receipt" in answer.headers:
        return f"{answer.status_code}, executed: {_short(answer.text)}"
    if "reason" not in said:
        text = " ".join(_MARKUP.sub(" ", answer.text).split()) if "html" in kind else answer.text
        return f"{answer.status_code} {_short(text)}".strip()
    check = f", check {said['check']}" if "check" in said else ""
    return _short(f"{answer.status_code} {said.get('error')} / {said.get('reason')}{check}")


def wanted(*reasons: Reason) -> str:
    """Say in a line which refusals are expected."""
    return " or ".join(
        f"{reason.status} {reason.error} / {reason.value}" + (f", check {reason.check}" if reason.check else "")
        for reason in reasons
    )


def brief(*reasons: Reason) -> str:
    """Say in a word or two which refusals are expected, as a row of the table has it."""
    return " or ".join(f"{reason.status} {reason.value}" for reason in reasons)


def refused(answer: httpx.Response, *reasons: Reason) -> None:
    """Fail unless an answer is the refusal of one of these reasons, with everything the closed table says of it."""
    said = body(answer)
    reason = next((reason for reason in reasons if said.get("reason") == reason.value), None)
    if reason is None or "oneact-receipt" in answer.headers:
        raise Failed(wanted(*reasons), told(answer))
    members = {"error": reason.error, "reason": reason.value} | ({"check": reason.check} if reason.check else {})
    if answer.status_code != reason.status or any(said.get(name) != value for name, value in members.items()):
        raise Failed(wanted(reason), told(answer))
    if reason.error in _CHALLENGED and f'error="{reason.error}"' not in answer.headers.get("www-authenticate", ""):
        raise Failed(f'{wanted(reason)} with WWW-Authenticate: DPoP error="{reason.error}"', f"{told(answer)} without")
    _check_unspent(said, reason, answer)


def _check_unspent(said: dict[str, Any], reason: Reason, answer: httpx.Response) -> None:
    """Hold `not_executed` to section 6.4: true after the look-up, absent before, either way at check 6."""
    value = said.get("not_executed")
    if answer.request.headers.get("authorization") is None:
        right = value is None
    elif reason.check in _UNSPENT:
        right = value is True
    elif reason.check == _ACT:
        right = value in {True, None}
    else:
        right = value is None
    if not right:
        expected = "not_executed: true" if reason.check in _UNSPENT else "no not_executed"
        raise Failed(f"{wanted(reason)} with {expected}", f"{told(answer)} with not_executed: {value}")


def refused_somehow(answer: httpx.Response, expected: str) -> None:
    """Fail unless an answer is any refusal."""
    if answer.status_code < _ERROR or "oneact-receipt" in answer.headers:
        raise Failed(expected, told(answer))


def executed(answer: httpx.Response) -> httpx.Response:
    """Fail unless the act was executed."""
    if answer.status_code >= _ERROR or "oneact-receipt" not in answer.headers:
        raise Failed("below 400 with OneAct-Receipt", told(answer))
    return answer


def same(expected: str, found: object, right: object) -> None:
    """Fail unless two things are the same."""
    if found != right:
        raise Failed(f"{expected} {_short(repr(right))}", _short(repr(found)))


def holds(expected: str, came: str, *, right: bool) -> None:
    """Fail unless something is right."""
    if not right:
        raise Failed(expected, _short(came))


def _short(text: str) -> str:
    shown = display.escape(text)
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
