"""`oneact agent read`: read what a person has opened, or ask them to open it."""

from __future__ import annotations

from typing import Annotated

import typer

from oneact.cli import agent


def read(
    service: agent.Service,
    name: Annotated[str, typer.Argument(help="The read's name, as `oneact agent actions` lists it.")],
    parameters: Annotated[str, typer.Argument(help="The parameters, as a JSON object.")] = "{}",
    server: agent.Issuer = agent.LOCAL,
    seconds: Annotated[int, typer.Option(help="For how long the person is asked to open it, at most 3600.")] = 3600,
    reason: Annotated[str, typer.Option(help="Why, in your words; the person sees it as unverified.")] = "",
    wait: Annotated[int, typer.Option(help="How many seconds to wait for the person.")] = 600,
    key_file: agent.KeyFile = None,
) -> None:
    """Read once; the person is asked only where no session over this read is open.

    Exit status: 0 read, 3 denied, 4 expired, 5 refused, 6 unreachable.
    """
    given = agent.an_object(parameters)

    async def work() -> None:
        from oneact.agent import Agent

        async with await Agent.open(server, key_file=key_file) as opened:
            result = await opened.read(service, name, given, seconds=seconds, reason=reason, wait=wait)
        typer.echo((result.body or b"").decode(errors="replace"))

    agent.run(work)
