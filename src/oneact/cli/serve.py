"""`oneact serve`: run the approval server."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

if TYPE_CHECKING:
    import socket

    from oneact.server import Settings


def serve(
    public_url: Annotated[
        str, typer.Option(help="The address by which everyone reaches it, the issuer; else http://localhost:8400.")
    ] = "",
    database: Annotated[Path | None, typer.Option(help="The SQLite file; else var/oneact.db.")] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="The signing keys, made at the first start; else var/oneact.jwk.")
    ] = None,
    rp_id: Annotated[
        str, typer.Option(help="The host that passkeys belong to, for life; else that of the public URL.")
    ] = "",
    for_service: Annotated[str, typer.Option("--for", help="The one service whose accounts are the persons.")] = "",
    host: Annotated[str, typer.Option(help="The address to listen on; else 127.0.0.1.")] = "",
    port: Annotated[int | None, typer.Option(help="The port to listen on; else 8400.")] = None,
) -> None:
    """Run the approval server, where persons see acts and approve them.

    Every option may also be set in the environment, as ONEACT_PUBLIC_URL and so on; an option wins..

    It speaks plain HTTP: for anyone beyond this machine put a proxy with TLS in front.
    """
    from oneact.errors import Refusal
    from oneact.server import Settings, serving, world

    given = {
        "PUBLIC_URL": public_url,
        "RP_ID": rp_id,
        "FOR_SERVICE": for_service,
        "HOST": host,
        "PORT": "" if port is None else str(port),
    }
    given |= {"DATABASE": str(database or ""), "KEY_FILE": str(key_file or "")}
    environment = {**os.environ, **{f"ONEACT_{name}": value for name, value in given.items() if value}}
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = Settings.from_environment(environment)
        asyncio.run(world.try_out(settings))
    except Refusal as refusal:
        typer.echo(f"oneact serve: {refusal.detail}", err=True)
        raise typer.Exit(2) from refusal
    listening = f"[{settings.host}]" if ":" in settings.host else settings.host
    beside = _held_beside(settings)
    typer.echo(f"approval server {settings.issuer}, listening on http://{listening}:{settings.port}")
    serving.run(settings)
    if beside is not None:
        beside.close()


def _held_beside(settings: Settings) -> socket.socket | None:
    """Hold the port at the other address of loopback too, where people come by `localhost`: it belongs to one user."""
    from oneact import loopback

    if urlsplit(settings.issuer).hostname != "localhost" or settings.host not in {loopback.IPV4, loopback.IPV6}:
        return None
    other = loopback.IPV6 if settings.host == loopback.IPV4 else loopback.IPV4
    try:
        return loopback.hold(settings.port, other)
    except OSError as error:
        typer.echo(f"oneact serve: port {settings.port} of {other}, which is localhost too, is taken", err=True)
        raise typer.Exit(2) from error
