"""One run: open the service, link the test account, play the rows, end the link."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from oneact.conformance import linking, stage
from oneact.conformance.outcome import CannotRun, Failed, Result, Skipped
from oneact.conformance.person import Person
from oneact.conformance.played import PlayedServer
from oneact.conformance.rows import GROUPS, ROWS
from oneact.conformance.stage import Stage
from oneact.errors import Refusal
from oneact.fetch import LOCAL_NAMES
from oneact.protocol import fitting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from oneact.conformance.row import Row

ISSUER: Final = "http://localhost:8499"
ACTS: Final = 30  # about as many acts as a whole run executes
_CLOCKS: Final = 3.0  # seconds that two clocks may be apart, and the time that it takes to tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run needs: the service and the act, the played server's issuer and where it listens, how to link.

    `only` are numbers of rows, or what stands before their point (`2`, `roster`); none is all of them. `cookies` are
    of a signed-in session; without them `say` tells the owner where to link, and `link_seconds` is waited for it.
    """

    resource: str
    action: str
    parameters: dict[str, Any]
    issuer: str = ISSUER
    host: str = "127.0.0.1"
    port: int = 8499
    cookies: dict[str, str] = field(default_factory=dict)
    only: Sequence[str] = ()
    patience: float = 30.0
    link_seconds: float = 300.0
    say: Callable[[str], None] = print


def is_local(resource: str) -> bool:
    """Tell whether a service stands on this machine."""
    return urlsplit(resource).hostname in LOCAL_NAMES


def chosen(only: Sequence[str]) -> tuple[Row, ...]:
    """Give the rows that are named, in their order; raises CannotRun for a name that is no row's."""
    rows = tuple(row for row in ROWS if not only or {row.number, row.number.partition(".")[0]} & set(only))
    known = {name for row in ROWS for name in (row.number, row.number.partition(".")[0])}
    if unknown := sorted(set(only) - known):
        raise CannotRun(f"there is no row {', '.join(unknown)}")
    return rows


def title(number: str) -> str:
    """Give the title under which a row stands."""
    return next(group.title for group in GROUPS for row in group.rows if row.number == number)


def run(settings: Settings) -> Iterator[Result]:
    """Play the rows and give what became of each; raises CannotRun."""
    rows = chosen(settings.only)
    person = Person(settings.issuer, settings.resource)
    with stage.new_client() as client, PlayedServer(person, settings.host, settings.port) as server:
        described, keys, published = stage.open_service(client, settings.resource)
        _check_wanted(settings, published)
        action = published[settings.action]
        on = Stage(
            client, described, keys, published, action, settings.parameters, person, server, settings.patience,
            settings.cookies, dict(settings.cookies),
        )  # fmt: skip
        _check_clock(on)
        _link(on, settings)
        try:
            for row in rows:
                yield play(row, on)
        finally:
            _end(on, settings)


def play(row: Row, on: Stage) -> Result:
    """Play one row."""
    began = time.monotonic()
    status, expected, came = "passed", row.expected, ""
    on.last = {}
    try:
        row.play(on)
    except Failed as failed:
        status, expected, came = "failed", failed.expected, failed.came
    except Skipped as skipped:
        status, came = "skipped", str(skipped)
    except CannotRun as error:
        status, came = "failed", f"no answer: {error}"
    except Refusal as refusal:
        status, came = "failed", f"what the service sent is not in its form: {refusal}"
    except Exception as error:  # noqa: BLE001 - whatever a service sends, the other rows are played
        status, came = "failed", f"what the service sent cannot be read: {error!r}"
    return Result(
        row.number, row.name, row.sent, row.expected, expected, status, came, time.monotonic() - began, on.last
    )  # fmt: skip


def _check_wanted(settings: Settings, published: dict[str, Any]) -> None:
    if settings.action not in published:
        raise CannotRun(f"{settings.resource} publishes no {settings.action}, but {', '.join(sorted(published))}")
    action = published[settings.action]
    if (action.rule.approvers, action.rule.requester_excluded) != (1, False):
        raise CannotRun(f"{settings.action} needs several persons, and one is played")
    try:
        fitting.validate(action.schema, fitting.fill(action.schema, settings.parameters))
    except Refusal as refusal:
        raise CannotRun(f"the parameters do not fit the schema of {settings.action}: {refusal}") from refusal


def _check_clock(on: Stage) -> None:
    """Refuse to play where the service's clock is another: a token is good for 30 seconds of that one."""
    told = on.get(on.client_id).headers.get("date", "")
    try:
        apart = parsedate_to_datetime(told).timestamp() - time.time()
    except ValueError:  # it says no time; then the rows will
        return
    if abs(apart) > _CLOCKS:
        raise CannotRun(f"the service's clock and this one are {abs(apart):.0f} seconds apart: set them")


def _link(on: Stage, settings: Settings) -> None:
    try:
        if on.cookies:
            linking.by_cookie(on)
        else:
            linking.in_browser(on, settings.say, settings.link_seconds)
    except Failed as failed:
        raise CannotRun(f"no offer can be had: {failed}") from failed
    on.linked = True


def _end(on: Stage, settings: Settings) -> None:
    """End the link where no row has, so that the account can be linked again."""
    if not linking.end(on):
        settings.say(f"the test account is still linked to {on.person.issuer}: unlink it at the service")
