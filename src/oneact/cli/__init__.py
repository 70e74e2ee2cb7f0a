"""The command line: one file for each command."""

from __future__ import annotations

import typer

from oneact.cli import agent, explain, log, serve, service, verify

app = typer.Typer(
    name="oneact",
    help="Let an agent do one act, approved by a person's passkey, verified by the service.",
    no_args_is_help=True,
    add_completion=False,
)
app.command("serve")(serve.serve)
app.add_typer(agent.app, name="agent")
app.add_typer(log.app, name="log")
app.command("verify")(verify.verify)
app.command("explain")(explain.explain)
app.add_typer(service.app, name="service")


def main() -> None:
    """Run the command line."""
    app()
