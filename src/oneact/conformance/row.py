"""A row of the table: its number, what is sent, what has to come, and the function that plays it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from oneact.conformance import outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.conformance.fault import Fault
    from oneact.conformance.stage import Stage
    from oneact.errors import Reason

    Play: TypeAlias = Callable[[Stage], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `wrong` is its fault where it is a wrong request with a token, so that others can make it too."""

    number: str
    name: str
    sent: str
    expected: str
    play: Play
    wrong: Fault | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Rows about one check or one thing."""

    title: str
    rows: tuple[Row, ...]


def refusal(number: str, name: str, sent: str, reason: Reason | tuple[Reason, ...], wrong: Fault) -> Row:
    """Give the row of a request with one fault, which has to be refused for this reason."""
    reasons = reason if isinstance(reason, tuple) else (reason,)

    def play(stage: Stage) -> None:
        outcome.refused(stage.attempt(wrong), *reasons)

    return Row(number, name, sent, outcome.brief(*reasons), play, wrong, reasons)


def accepted(number: str, name: str, sent: str, wrong: Fault) -> Row:
    """Give the row of a request that departs from the usual one in what is allowed, and has to be executed."""

    def play(stage: Stage) -> None:
        outcome.executed(stage.attempt(wrong))

    return Row(number, name, sent, "executed", play, wrong)


def answered(number: str, name: str, sent: str, reasons: tuple[Reason, ...], play: Play) -> Row:
    """Give the row of requests that `play` makes itself, which have to be refused for these reasons."""
    return Row(number, name, sent, outcome.brief(*reasons), play, None, reasons)
