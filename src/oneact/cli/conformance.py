"""`oneact conformance`: play approval server, agent and person against a running service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from oneact.conformance.outcome import Result
    from oneact.conformance.run import Settings

_COLOURS = {"passed": "green", "failed": "bold red", "skipped": "yellow"}


def conformance(
    service: Annotated[str, typer.Argument(help="The service's identifier, https://air.example.")],
    action: Annotated[str, typer.Option(help="The action that is asked for, again and again.")],
    params: Annotated[Path, typer.Option(help="A file with its parameters, one JSON object.")],
    issuer: Annotated[str, typer.Option(help="The played approval server, as the service knows it.")] = "",
    listen: Annotated[str, typer.Option(help="Where the played approval server listens.")] = "127.0.0.1:8499",
    cookie: Annotated[
        list[str] | None, typer.Option(help="name=value of a signed-in session; links without a browser. Repeatable.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="A row, 2.3, or all before the point, 2 or roster. Repeatable.")
    ] = None,
    patience: Annotated[float, typer.Option(help="Seconds in which a receipt has to arrive.")] = 30.0,
    wait: Annotated[float, typer.Option(help="Seconds in which someone has to link the account.")] = 300.0,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit's XML to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object in place of the table.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Execute acts at a service that is not on this machine.")] = False,
) -> None:
    """Show, row by row, that a running service makes every check: each wrong request has to be refused as it should.

    The service is one under test: some thirty acts are executed there for real.

    It has to accept the played approval server as an issuer; a test account is linked to that first.

    Exit status: 0 all rows passed or were skipped, 1 some failed, 2 it could not run.
    """
    from rich.console import Console

    from oneact.conformance import report, run
    from oneact.conformance.outcome import CannotRun

    aside = Console(stderr=True, highlight=False, markup=False)
    host, port = _listen(listen)
    settings = run.Settings(
        resource=_identifier("SERVICE", service.rstrip("/")), action=action, parameters=_parameters(params),
        issuer=_identifier("--issuer", issuer or f"http://localhost:{port}"), host=host, port=port,
        cookies=dict(_pair(item) for item in cookie or []), only=only or (), patience=patience, link_seconds=wait,
        say=aside.print,
    )  # fmt: skip
    try:
        run.chosen(settings.only)
        if not (yes or run.is_local(settings.resource)):
            _ask(settings)
        results = _played(settings, aside)
    except CannotRun as error:
        typer.echo(f"oneact conformance: {error}", err=True)
        raise typer.Exit(2) from error
    if junit is not None:
        junit.write_bytes(report.as_junit(settings, results))
    if as_json:
        typer.echo(report.as_json(settings, results))
    else:
        _print(settings, results)
    raise typer.Exit(1 if report.counts(results)["failed"] else 0)


def _played(settings: Settings, aside: Console) -> list[Result]:
    """Play the rows, and say on a terminal which one it is at."""
    from oneact.conformance import run

    results: list[Result] = []
    with aside.status("linking the test account") as status:
        for result in run.run(settings):
            results.append(result)
            status.update(f"{len(results)} rows, {result.number} {result.status}")
    return results


def _ask(settings: Settings) -> None:
    """Ask whether acts may be executed at a service elsewhere; raises typer.Exit where not."""
    from oneact.conformance import run

    question = f"This executes {settings.action} some {run.ACTS} times at {settings.resource}, for real. Go on?"
    if not typer.confirm(question, err=True):
        raise typer.Exit(2)


def _print(settings: Settings, results: Sequence[Result]) -> None:
    """Print the table, what failed with all there is to say of it, and the sums."""
    from rich.console import Console
    from rich.text import Text

    from oneact.conformance import report

    console = Console(highlight=False)
    console.print(_table(results))
    for result in (result for result in results if result.status == "failed"):
        console.print(Text(f"\n{result.number} {result.name}", "bold red"))
        console.print(Text(report.details(result)), soft_wrap=True)
    found = report.counts(results)
    seconds = sum(result.seconds for result in results)
    said = ", ".join(f"{found[status]} {status}" for status in report.STATUSES)
    console.print(Text(f"\n{settings.resource}, {settings.action}: {said}, {seconds:.1f} s"))
    if found["failed"]:
        console.print("With --json, a row that failed has the request it made and the answer.")


def _table(results: Sequence[Result]) -> Any:  # noqa: ANN401 - rich is imported where it is used
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from oneact.conformance import run

    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False)
    table.add_column("row", no_wrap=True)
    table.add_column("what is sent", ratio=3)
    table.add_column("what has to come", ratio=3)
    table.add_column("", no_wrap=True)
    group = ""
    for result in results:
        if run.title(result.number) != group:
            group = run.title(result.number)
            table.add_section()
            table.add_row("", Text(group, "bold"))
        word = Text(result.status, _COLOURS[result.status])
        came = result.came if result.status == "skipped" else result.brief
        table.add_row(result.number, Text(result.sent), Text(came), word)
    return table


def _parameters(file: Path) -> dict[str, Any]:
    from oneact.errors import Refusal
    from oneact.protocol import canonical

    try:
        found = canonical.parse(file.read_bytes())
    except (OSError, Refusal) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise typer.BadParameter(f"{file} is no JSON object")
    return dict(found)


def _listen(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:  # noqa: PLR2004 - a port
        raise typer.BadParameter("--listen is a host and a port, 127.0.0.1:8499")
    return host.strip("[]"), int(port)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter("--cookie is name=value")
    return name, value


def _identifier(option: str, text: str) -> str:
    """Take an identifier as it is compared; who refuses plain http is the service, by its own settings."""
    parts = urlsplit(text)
    plain = text.isascii() and text.isprintable() and not {"?", "#", "@", " "} & set(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain or text.endswith("/"):
        raise typer.BadParameter(f"{option} is an address like https://air.example, without a final slash")
    return text
