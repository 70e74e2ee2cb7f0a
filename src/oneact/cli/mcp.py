"""`oneact mcp`: put the proxy into the configuration of an MCP client, and take it out again."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.gateway.mcp.clients import Change
    from oneact.gateway.mcp.known import Client

app = typer.Typer(help="Put the proxy into an MCP client's configuration; link and unlink it.", no_args_is_help=True)

_BEGINS: Final = 40.0  # seconds, for a proxy that starts an approval server; that has thirty of them
_PAUSE: Final = 0.1

Which = Annotated[
    str,
    typer.Argument(
        metavar="CLIENT", help="claude-code, claude-desktop, cursor, gemini, vscode, vscode-user, windsurf."
    ),
]
Server = Annotated[str, typer.Argument(metavar="SERVER", help="The server's name in the client's configuration.")]
File = Annotated[Path | None, typer.Option("--file", help="The client's file, where it is not at its usual place.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command()
def install(
    client: Which,
    server: Server,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[-- COMMAND …]", help="What starts a server that is not there yet.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The policy file that the proxy is given.")] = None,
    file: File = None,
    yes: Yes = False,
) -> None:
    """Put the proxy in front of a server; shows the difference and asks first."""
    from oneact.gateway.mcp import clients

    def change() -> Change:
        found = _client(client)
        options = [] if config is None else ["--config", str(config.resolve(strict=True))]
        return clients.install(found, file or found.file(), server, command or [], options)

    _make(change, yes=yes, undo=False)


@app.command()
def start() -> None:
    """Tell where to make the first passkey for the proxies that run and have none; whoever opens it becomes the person.

    Waits for one that has only just been started. Ends with status 1 where there is no such proxy.
    """
    from oneact.gateway.mcp import places

    found, until = places.starts(), time.monotonic() + _BEGINS
    while not all(address for _, address in found) and time.monotonic() < until:
        time.sleep(_PAUSE)
        found = places.starts()
    found = [(name, address) for name, address in found if address]
    for name, address in found:
        typer.echo(f"{name}: {address}")
    if not found:
        typer.echo("No proxy runs that waits for its first passkey.", err=True)
        raise typer.Exit(1)


@app.command()
def unlink(
    server: Annotated[str, typer.Argument(metavar="SERVER", help="The server's name, as its link page tells it.")],
    yes: Yes = False,
) -> None:
    """Take every passkey off the proxies of a server; no tool of it is approved until it has been linked again.

    Ends with status 1 where none is linked.
    """
    from oneact.gateway.mcp import unlinking

    if server not in unlinking.known():
        typer.echo(f"oneact mcp: {server} is none of {', '.join(unlinking.known()) or 'none yet'}", err=True)
        raise typer.Exit(2)
    if not yes and not typer.confirm(f"Take every passkey off {server}?"):
        typer.echo("nothing was unlinked")
        return
    found = asyncio.run(unlinking.unlink(server, int(time.time())))
    for issuer in found:
        typer.echo(f"unlinked from {issuer}; choose “Take no more requests” there too: {issuer}/services")
    if not found:
        typer.echo("No passkey is linked.", err=True)
        raise typer.Exit(1)


@app.command()
def uninstall(client: Which, server: Server, file: File = None, yes: Yes = False) -> None:
    """Take the proxy out again; shows the difference and asks first."""
    from oneact.gateway.mcp import clients

    def change() -> Change:
        found = _client(client)
        return clients.uninstall(found, file or found.file(), server)

    _make(change, yes=yes, undo=True)


def _client(name: str) -> Client:
    from oneact.gateway.mcp.known import CLIENTS

    if name not in CLIENTS:
        raise ValueError(f"{name} is none of {', '.join(CLIENTS)}")
    return CLIENTS[name]


def _make(change: Callable[[], Change], *, yes: bool, undo: bool) -> None:
    from oneact.gateway.mcp import clients

    try:
        found = change()
        typer.echo(found.difference())
        if not yes and not typer.confirm("Write it?"):
            typer.echo("nothing was written")
            return
        backup = clients.write(found, undo=undo)
    except (OSError, ValueError) as error:
        typer.echo(f"oneact mcp: {error}", err=True)
        raise typer.Exit(2) from error
    typer.echo(f"written: {found.file}" + (f"; as it was before: {backup}" if backup else ""))
    typer.echo("restart the client, or have it load its servers again")
