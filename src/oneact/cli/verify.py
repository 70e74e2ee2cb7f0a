"""`oneact verify`: check a file of evidence with no server and no network, and say in plain words what it proves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oneact.log.evidence import Evidence
    from oneact.log.proving import Step
    from oneact.protocol.canonical import Json

_SAYS = {
    "offer": "the service stated this act and its terms, for this approval server",
    "display": "the lines below follow from the act alone, as every implementation renders them",
    "statement": "what was signed names this act, this account and this agent's key",
    "passkey": "a passkey of the person's roster signed it, with the person verified",
    "token": "the approval server made a token of this approval, for this act alone",
    "receipt": "the service says what became of this very act",
    "end": "the approval server says how the request ended, without a token",
    "log": "every entry is in the tree of the log's signed checkpoint",
    "story": "the log's entries say the same as the documents",
}
_NEEDED = ("display", "log", "story")
_STATUS = {
    "executed": "says that it executed the act",
    "failed": "says that it tried the act and failed",
    "unknown": "says that it does not know whether the act was done",
}


def verify(
    file: Annotated[Path, typer.Argument(help="A file of evidence, from history or from `oneact log evidence`.")],
    server_key: Annotated[list[str] | None, typer.Option(help="Thumbprint that the approval server's key has.")] = None,
    service_key: Annotated[list[str] | None, typer.Option(help="Thumbprint that the service's key has.")] = None,
    passkey: Annotated[list[str] | None, typer.Option(help="Fingerprint that the person's passkey has.")] = None,
    log_key: Annotated[list[str] | None, typer.Option(help="The log's verifier key, one line.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the steps as JSON.")] = False,
) -> None:
    """Check evidence of one act: what it proves, what it does not, and which step failed.

    It uses no network and believes no one: name the keys that you know, else the file's own are taken and shown.

    Exit status: 0 the evidence holds, 1 a step failed or too little is there, 2 it is no evidence.
    """
    from oneact.errors import Refusal
    from oneact.log import evidence, proving
    from oneact.protocol import canonical

    try:
        found = evidence.parse(canonical.parse(file.read_bytes(), evidence.MAX_OCTETS))
    except (OSError, Refusal) as error:
        typer.echo(f"oneact verify: {file} is no evidence: {error}", err=True)
        raise typer.Exit(2) from error
    wanted = proving.Expected(*(frozenset(given or ()) for given in (server_key, service_key, log_key, passkey)))
    steps = proving.check(found, wanted)
    if as_json:
        typer.echo(canonical.encode(_members(steps)).decode())
    else:
        for line in _report(found, steps, wanted):
            typer.echo(line)
    if not _holds(steps):
        raise typer.Exit(1)


def _holds(steps: list[Step]) -> bool:
    """Tell whether no step failed and the evidence is enough to say anything."""
    passed = {step.name for step in steps if step.result == "passed"}
    return all(step.result != "failed" for step in steps) and passed.issuperset(_NEEDED)


def _members(steps: list[Step]) -> dict[str, Json]:
    listed: list[Json] = [
        {"step": step.number, "name": step.name, "result": step.result, "reason": step.reason and step.reason.value}
        for step in steps
    ]
    return {"holds": _holds(steps), "steps": listed}


def _report(found: Evidence, steps: list[Step], wanted: object) -> Iterator[str]:
    yield f"evidence of one act: {found.act.action} at {found.resource}"
    yield f"approval server {found.issuer}, transaction {found.txn}"
    yield ""
    for step in steps:
        says = _SAYS[step.name] if step.reason is None else f"{step.reason.says} ({step.reason.value}: {step.detail})"
        yield f"{step.result:7} {step.number} {step.name:9} {says if step.result != 'absent' else 'not in this file'}"
    yield ""
    yield "what was shown:"
    for _, label, _, text in found.lines:
        yield f"    {label}: {text}"
    yield ""
    if not _holds(steps):
        failed = [f"{step.number} ({step.name})" for step in steps if step.result == "failed"]
        yield (
            f"This proves nothing: step {', '.join(failed)} failed."
            if failed
            else "This proves nothing: too little is there."
        )
        return
    yield "what this proves, if the keys are whose they are said to be:"
    yield from (f"    {line}" for line in _proves(found))
    yield "what it does not prove:"
    yield from (f"    {line}" for line in _proves_not(found))
    yield "compare with what you know from elsewhere:"
    yield from (f"    {line}" for line in _keys(found, wanted))


def _proves(found: Evidence) -> Iterator[str]:
    from oneact.protocol import ended, receipt

    asked = min(logged.entry.at for logged in found.entries if logged.entry.request)
    yield f"Agent {found.agent.client_id} asked for exactly this at {_time(asked)}."
    for given in found.approvals:
        said = given.statement
        yield f"A passkey signed exactly this, between {_time(said.iat)} and {_time(said.exp)}."
    if found.receipt is not None:
        word = receipt.parse(found.receipt)[0]
        yield f"{found.resource} {_STATUS[word.status]}, at {_time(word.iat)}."
    if found.ended is not None:
        end = ended.parse(found.ended)[0]
        yield f"The request ended without a token: {end.status}, at {_time(end.iat)}."
    yield "The log's checkpoint covers all of this: whoever keeps that checkpoint sees any rewriting."


def _proves_not(found: Evidence) -> Iterator[str]:
    yield "That the screen showed what was signed: a dishonest approval server can show something else."
    if found.approvals:
        yield "Who held the passkey, beyond what its device has checked."
    if found.token is not None and found.receipt is None:
        yield "That the act was executed, or that it was not: there is no word from the service."
    if found.receipt is not None:
        yield "That the service told the truth: a receipt is its word, signed."


def _keys(found: Evidence, wanted: object) -> Iterator[str]:
    from oneact.log.proving import Expected
    from oneact.protocol import base64url, canonical

    known = wanted if isinstance(wanted, Expected) else Expected()
    rows = [
        ("server key", [key.thumbprint for key in found.server_keys.values()], known.server),
        ("service key", [key.thumbprint for key in found.service_keys.values()], known.service),
        ("log key", [found.log_key.line()], known.log),
    ]
    if found.roster is not None:
        signing = {given.webauthn.credential_id for given in found.approvals}
        used = [credential for credential in found.roster.credentials if credential.id in signing]
        rows.append(("passkey", [canonical.sha256(base64url.decode(item.public_key)) for item in used], known.passkeys))
    for name, keys, expected in rows:
        for key in keys:
            yield f"{name:11} {key}{'  (as expected)' if key in expected else ''}"


def _time(at: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
