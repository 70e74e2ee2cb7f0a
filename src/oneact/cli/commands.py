"""All commands under their names."""

from __future__ import annotations

from typing import Annotated

import typer

import oneact
from oneact.cli import (
    agent,
    agent_read,
    conformance,
    explain,
    flush,
    log,
    mcp,
    mcp_proxy,
    rotate_key,
    serve,
    service,
    service_sql,
    sidecar,
    verify,
)

app = typer.Typer(name="oneact", no_args_is_help=True, add_completion=False)
app.command("serve")(serve.serve)
agent.app.command("read")(agent_read.read)
app.add_typer(agent.app, name="agent")
app.add_typer(log.app, name="log")
app.command("verify")(verify.verify)
app.command("explain")(explain.explain)
service.app.command("flush")(flush.flush)
service.app.command("rotate-key")(rotate_key.rotate_key)
service.app.command("sql")(service_sql.sql)
app.add_typer(service.app, name="service")
app.command("sidecar")(sidecar.sidecar)
app.add_typer(mcp.app, name="mcp")
app.command("mcp-proxy", context_settings={"allow_interspersed_args": False})(mcp_proxy.mcp_proxy)
app.command("conformance")(conformance.conformance)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"oneact {oneact.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Say the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Let an agent do one act, approved by a person's passkey, verified by the service."""
