"""`oneact sidecar`: run the guard beside a service in another language."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from oneact.sidecar.verifier import Verifier

_SERVING: Final[dict[str, Any]] = {
    "log_level": "warning",
    "proxy_headers": False,
    "server_header": False,
    "ws": "none",
    "lifespan": "on",
    "timeout_keep_alive": 75,  # longer than clients keep a connection, so that none is closed under a call
}


def sidecar(
    config: Annotated[
        Path, typer.Option(envvar="ONEACT_SIDECAR_CONFIG", help="The TOML file with settings and actions.")
    ] = Path("sidecar.toml"),
    unix: Annotated[
        Path | None, typer.Option(envvar="ONEACT_SIDECAR_UNIX", help="The Unix socket to listen on, made 0600.")
    ] = None,
    listen: Annotated[
        str, typer.Option(envvar="ONEACT_SIDECAR_LISTEN", help="The loopback address and port to listen on instead.")
    ] = "",
    secret_file: Annotated[
        Path | None,
        typer.Option(envvar="ONEACT_SIDECAR_SECRET_FILE", help="The secret that a port asks for; made if absent."),
    ] = None,
    allow_insecure_address: Annotated[
        bool, typer.Option("--allow-insecure-address", help="Listen also where other machines can reach it, in plain.")
    ] = False,
) -> None:
    """Verify for a service in any language, which asks over a Unix socket or loopback.

    Never let anyone but the service reach it.
    """
    import uvicorn

    from oneact.errors import Refusal
    from oneact.sidecar import listening
    from oneact.sidecar.api import Api
    from oneact.sidecar.config import load
    from oneact.sidecar.verifier import Verifier

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        found = load(config)
        verifier = Verifier(found)
        asyncio.run(_try_out(verifier, found.settings["store"]))
        door = listening.door(unix, listen, secret_file, anywhere=allow_insecure_address)
    except (ValueError, Refusal) as error:
        said = error.detail if isinstance(error, Refusal) else str(error)
        typer.echo(f"oneact sidecar: {said}", err=True)
        raise typer.Exit(2) from error
    typer.echo(f"sidecar of {verifier.resource}, listening on {door.where}")
    uvicorn.Server(uvicorn.Config(Api(verifier, door), **_SERVING)).run(sockets=[door.socket])


async def _try_out(verifier: Verifier, store: Path) -> None:
    """Open the store once, so that what keeps it closed is told before anyone asks."""
    from oneact.errors import Refusal

    try:
        await verifier.start()
        await verifier.stop()
    except Refusal as refusal:
        raise ValueError(f"the store {store} cannot be used: {refusal.detail}") from refusal
