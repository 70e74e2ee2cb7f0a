"""`oneact mcp-proxy`: put an MCP server behind a person's passkey, without touching it."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from oneact.gateway.mcp.policy import Policy
    from oneact.gateway.mcp.running import Options

_INIT = "init"
_ACCEPT = "accept"


def mcp_proxy(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[init | accept NAME] [-- COMMAND …]",
            help="The command that starts the server; `init` proposes a policy for it, `accept` takes changed tools.",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(envvar="ONEACT_MCP_POLICY", help="The policy file, YAML or JSON.")
    ] = None,
    url: Annotated[str, typer.Option(help="Where the server is, if it speaks streamable HTTP.")] = "",
    name: Annotated[str, typer.Option(help="What the person sees the server as, and its folder is called.")] = "",
    server: Annotated[
        str, typer.Option(envvar="ONEACT_SERVER", help="The approval server; by default one of your own is started.")
    ] = "",
    listen: Annotated[
        int | None, typer.Option(help="Take clients over streamable HTTP, on this port of this machine.")
    ] = None,
    public_url: Annotated[
        str, typer.Option(help="The proxy's own address, where the approval server is not on this machine.")
    ] = "",
    private_host: Annotated[
        list[str] | None, typer.Option(help="A name on a private network at which the approval server may be.")
    ] = None,
    open_pages: Annotated[
        bool | None, typer.Option("--open/--no-open", help="Open pages in a browser; by default where there is one.")
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Take the server's tools as they are now.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With `accept`: do not ask.")] = False,
) -> None:
    """Put an MCP server behind a person's passkey: it is started as it is, and each call of a tool has to be approved.

    Without a policy every tool needs an approval. Nothing but messages is written to standard output.
    """
    from oneact.errors import Refusal

    given = list(words or [])
    logging.basicConfig(level=logging.WARNING, format="oneact: %(message)s", stream=sys.stderr)
    try:
        if given[:1] == [_ACCEPT]:
            _accept(given[1:], name, yes=yes)
            return
        proposes = given[:1] == [_INIT]
        policy = _policy(config, given[1:] if proposes else given, url, name)
        if proposes:
            _init(policy)
            return
        from oneact.gateway.mcp import running

        options = running.Options(
            server.rstrip("/"),
            _has_display() if open_pages is None else open_pages,
            accept,
            public_url.rstrip("/"),
            tuple(private_host or ()),
        )
        asyncio.run(_run(policy, options, listen))
    except (OSError, ValueError, Refusal) as error:
        typer.echo(f"oneact mcp-proxy: {error.detail if isinstance(error, Refusal) else error}", err=True)
        raise typer.Exit(2) from error


async def _run(policy: Policy, options: Options, port: int | None) -> None:
    """Run the proxy, and end the process with it: a thread that still reads or writes for nobody would hold it up."""
    from oneact.gateway.mcp import listening, running

    if port is None:
        await running.over_standard(policy, options)
    else:
        await listening.run(policy, options, port)
    sys.stderr.flush()
    os._exit(0)


def _policy(config: Path | None, command: list[str], url: str, name: str) -> Policy:
    from oneact.gateway.mcp import policy

    found = policy.load(config) if config is not None else policy.EMPTY
    command = command[1:] if command[:1] == ["--"] else command
    if command:
        found = replace(found, command=tuple(command), url="")
    if url:
        found = replace(found, command=(), url=url)
    return replace(found, name=name) if name else found


def _init(policy: Policy) -> None:
    from oneact.gateway.mcp import proposing

    typer.echo(proposing.proposed(policy, asyncio.run(proposing.tools_of(policy))), nl=False)


def _accept(words: list[str], name: str, *, yes: bool) -> None:
    from oneact.gateway.mcp import places
    from oneact.gateway.mcp.pins import Pins

    wanted = [word for word in words if word != "--"] or ([name] if name else [])
    known = sorted(found.parent.name for found in (places.home() / "mcp").glob("*/pins.json"))
    if len(wanted) != 1 or wanted[0] not in known:
        raise ValueError("accept which one? " + (", ".join(known) or "no server has been seen yet"))
    pins = Pins(places.server_folder(wanted[0]))
    difference = pins.difference()
    if not difference:
        typer.echo("nothing has changed")
        return
    typer.echo(difference)
    if yes or typer.confirm("Take these for the tools of this server?"):
        typer.echo(f"accepted: {', '.join(map(ascii, pins.accept(difference)))}")


def _has_display() -> bool:
    desktop = sys.platform in {"darwin", "win32"}
    return desktop or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
