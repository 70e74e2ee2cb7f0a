"""`oneact serve`: run the approval server."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated

import typer


def serve(
    public_url: Annotated[str, typer.Option(help="The address by which everyone reaches the server; the issuer.")] = "",
    database: Annotated[Path | None, typer.Option(help="The SQLite file.")] = None,
    key_file: Annotated[Path | None, typer.Option(help="The signing keys; made at the first start.")] = None,
    rp_id: Annotated[str, typer.Option(help="The host that passkeys belong to, for life.")] = "",
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 leaves it to ONEACT_PORT.")] = 0,
) -> None:
    """Run the approval server, where persons see acts and approve them.

    Every option may also be set in the environment, as ONEACT_PUBLIC_URL and so on; an option wins.
    """
    import uvicorn

    from oneact.errors import Refusal
    from oneact.server import Settings, create_app

    given = {"PUBLIC_URL": public_url, "RP_ID": rp_id, "HOST": host, "PORT": str(port or "")}
    given |= {"DATABASE": str(database or ""), "KEY_FILE": str(key_file or "")}
    environment = {**os.environ, **{f"ONEACT_{name}": value for name, value in given.items() if value}}
    try:
        settings = Settings.from_environment(environment)
    except Refusal as refusal:
        typer.echo(f"oneact serve: {refusal.detail}", err=True)
        raise typer.Exit(2) from refusal
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    typer.echo(f"approval server: {settings.issuer}")
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
    )
