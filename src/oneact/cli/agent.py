"""`oneact agent`: pair, act and list, as an agent or a script would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Final

import typer

app = typer.Typer(help="Act as an agent: pair with a person, ask for one act, list the pairings.", no_args_is_help=True)

Issuer = Annotated[str, typer.Option("--server", help="The approval server's address.", envvar="ONEACT_SERVER")]
KeyFile = Annotated[Path | None, typer.Option(help="The file of this pairing; by default one for each server.")]
Service = Annotated[str, typer.Argument(help="The service's identifier, for example https://air.example.")]
LOCAL: Final = "http://localhost:8400"


@app.command()
def pair(
    server: Issuer = LOCAL,
    name: Annotated[str, typer.Option(help="What the person will see you as.")] = "oneact agent",
    code: Annotated[str, typer.Option(help="A pairing code that the person made at their own page.")] = "",
    again: Annotated[bool, typer.Option("--again", help="Pair anew, after the person has removed this agent.")] = False,
    key_file: KeyFile = None,
) -> None:
    """Pair with a person: show a code, and wait until they have typed it and confirmed with their passkey."""

    async def work() -> None:
        from oneact.agent import Agent, keys

        server_ = server.rstrip("/")
        held = keys.load(key_file or keys.default_file(server_), server_)
        async with await Agent.open(server, name=name, key_file=key_file, pairing_code=code, again=again) as agent:
            if again or not held.hint:
                typer.echo(f"paired; fingerprint {agent.fingerprint}")
                return
            typer.echo(f"paired before, and nothing was changed; fingerprint {agent.fingerprint}")
            typer.echo("if the person has removed this agent meanwhile, pair anew with --again")

    run(work)


@app.command()
def act(
    service: Service,
    action: Annotated[str, typer.Argument(help="The action's name, as `oneact agent actions` lists it.")],
    parameters: Annotated[str, typer.Argument(help="The parameters, as a JSON object.")] = "{}",
    server: Issuer = LOCAL,
    reason: Annotated[str, typer.Option(help="Why, in your words; the person sees it as unverified.")] = "",
    wait: Annotated[int, typer.Option(help="How many seconds to wait for the person.")] = 600,
    key_file: KeyFile = None,
) -> None:
    """Have one act done, once the person has approved it; prints the answer and what the receipt says.

    Exit status: 0 done, 3 denied, 4 expired, 5 refused, 6 unreachable, 7 outcome unknown.
    """
    given = an_object(parameters)

    async def work() -> None:
        from oneact.agent import Agent

        async with await Agent.open(server, key_file=key_file) as agent:
            result = await agent.act(service, action, given, reason=reason, wait=wait)
        body = (result.body or b"").decode(errors="replace")
        receipt = result.receipt
        typer.echo(body)
        if receipt is not None:
            typer.echo(f"receipt: {receipt.status}, txn {receipt.txn}, verified", err=True)
            raise typer.Exit(0 if receipt.status == "executed" else 5)

    run(work)


@app.command()
def actions(service: Service) -> None:
    """List the actions that a service publishes, with their parameters, and its reads; needs no pairing."""

    async def work() -> None:
        from oneact.agent import published_actions, published_reads
        from oneact.cli.actions import lines, of_read

        for action in await published_actions(service):
            for line in lines(action):
                typer.echo(line)
        for read in await published_reads(service):
            typer.echo(of_read(read))

    run(work)


@app.command("list")
def list_pairings() -> None:
    """List the pairings on this machine."""
    from oneact.agent import keys
    from oneact.errors import Refusal
    from oneact.protocol import canonical, jwk

    files = sorted(keys.folder().glob("*.json")) if keys.folder().is_dir() else []
    for file in files:
        try:
            value = canonical.parse(file.read_bytes())
            issuer = str(value.get("issuer", "")) if isinstance(value, dict) else ""
            found = keys.load(file, issuer)
        except Refusal as refusal:
            typer.echo(f"{file}: {refusal}")
            continue
        state = "paired" if found.hint else "not paired yet"
        typer.echo(f"{found.issuer}  {state}  fingerprint {jwk.fingerprint(found.key.public.thumbprint)}  {file}")
    if not files:
        typer.echo(f"no pairings in {keys.folder()}")


def an_object(text: str) -> dict[str, Any]:
    """Read a JSON object that was typed."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"the parameters are not JSON: {error}") from error
    if not isinstance(value, dict):
        raise typer.BadParameter("the parameters are not a JSON object")
    return value


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a command's work; every end of an act has its exit status, with what to do about it."""
    from oneact import agent
    from oneact.errors import Refusal

    statuses: dict[type[Exception], tuple[int, str]] = {
        agent.Denied: (3, "denied"),
        agent.Expired: (4, "expired"),
        agent.TermsChanged: (5, "refused"),
        agent.Refused: (5, "refused"),
        Refusal: (5, "refused"),
        agent.Unreachable: (6, "unreachable"),
        agent.OutcomeUnknown: (7, "outcome unknown"),
    }
    try:
        asyncio.run(work())
    except tuple(statuses) as error:
        status, word = statuses[type(error)]
        told = str(error)
        typer.echo(f"{word}: {told if told.isprintable() else repr(told)}", err=True)  # it moves no cursor
        _advise(error)
        raise typer.Exit(status) from error


def _advise(error: Exception) -> None:
    """Say what to do about a refusal, and where to link the account if that is it."""
    from oneact.agent import TermsChanged
    from oneact.cli.advice import ADVICE

    named = getattr(error, "reason", None)
    for reason, advice in ADVICE.items():
        if named in {reason, reason.value}:
            typer.echo(f"what to do: {advice}", err=True)
    if isinstance(error, TermsChanged):
        typer.echo(f"approved: {json.dumps(error.approved)}\nnow: {json.dumps(error.terms)}", err=True)
    link = getattr(error, "link_uri", "")
    if link:
        typer.echo(f"link the account here: {link}", err=True)
