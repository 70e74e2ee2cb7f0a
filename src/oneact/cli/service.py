"""`oneact service`: look after a service's own record."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey
    from oneact.service.audit.evidence import Bundle
    from oneact.service.audit.finding import Finding
    from oneact.service.audit.record import Record

app = typer.Typer(help="Look after a service: its record, its receipts, its key.", no_args_is_help=True)


@app.callback()
def service() -> None:
    """Look after a service: its record, its receipts, its key."""


@app.command()
def audit(
    store: Annotated[Path, typer.Option(help="The guard's SQLite file; it is only read.")],
    key: Annotated[list[Path] | None, typer.Option(help="A key file of the service. Repeatable.")] = None,
    jwks: Annotated[str, typer.Option(help="The service's published keys: an address, or a file.")] = "",
    evidence: Annotated[
        list[Path] | None, typer.Option(help="What persons hold, JSON or JSON Lines. Repeatable.")
    ] = None,
    head: Annotated[str, typer.Option(help="A head noted at an earlier audit, as that printed it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check the journal's chain, hold tables, receipts and the persons' evidence against it, one finding a line.

    Exit status: 0 all agrees, 1 something does not, 2 something cannot be read.
    """
    from oneact.errors import Refusal
    from oneact.service.audit import evidence as held
    from oneact.service.audit import record, tables
    from oneact.service.store.snapshot import snapshot

    keys, kept = _keys(key or [], jwks), _head(head)
    bundles = [bundle for file in evidence or [] for bundle in _bundles(file)]
    try:
        with snapshot(store) as opened:
            found = record.read(opened.journal(), keys, kept)
            findings = [*found.findings, *tables.compare(found, opened.spends(), opened.links(), int(time.time()))]
            findings += tables.compare_waits(found, opened.unlinkings())
    except Refusal as refusal:
        raise _unreadable(store, refusal) from refusal
    own = [(where, bundle) for where, bundle in bundles if not held.is_elsewhere(found, bundle)]
    for where, bundle in own:
        findings += held.compare(found, where, bundle, keys)
    counts = {"bundles": len(own), "bundles_of_other_services": len(bundles) - len(own)}
    _print(_summary(found, keys is not None) | counts, findings, as_json=as_json)
    raise typer.Exit(1 if findings else 0)


def _keys(files: list[Path], jwks: str) -> dict[str, PublicKey] | None:
    """Give the service's public keys by `kid`; None where none were given."""
    from oneact import keyfile
    from oneact.errors import Refusal
    from oneact.protocol import jwk

    found: dict[str, PublicKey] = {}
    for file in files:
        try:
            file.stat()  # what is not there is not made here
            found |= {key.public.thumbprint: key.public for key in keyfile.load_or_create(file)}
        except (OSError, Refusal) as error:
            raise _unreadable(file, error) from error
    if jwks:
        try:
            found |= jwk.parse_set(_document(jwks))
        except (OSError, Refusal) as error:
            raise _unreadable(jwks, error) from error
    return found if files or jwks else None


def _document(place: str) -> Json:
    from oneact.fetch import LOCAL_NAMES, fetch
    from oneact.protocol import canonical

    if place.startswith(("https://", "http://")):
        return fetch("GET", place, private_hosts=LOCAL_NAMES).json()  # whoever runs this has named the address
    return canonical.parse(Path(place).read_bytes())


def _bundles(file: Path) -> list[tuple[str, Bundle]]:
    from oneact.errors import Refusal
    from oneact.service.audit import evidence

    try:
        bundles = evidence.parse_file(file.read_bytes())
    except (OSError, Refusal) as error:
        raise _unreadable(file, error) from error
    return [(file.name if len(bundles) == 1 else f"{file.name} {at}", found) for at, found in enumerate(bundles, 1)]


def _head(text: str) -> tuple[int, str] | None:
    seq, colon, hashed = text.partition(":")
    if text and not (colon and seq.isascii() and seq.isdigit() and hashed):
        raise typer.BadParameter("a head is a number, a colon and a hash")
    return (int(seq), hashed) if text else None


def _unreadable(what: object, error: Exception) -> typer.Exit:
    typer.echo(_shown(f"{what} cannot be read: {error}"), err=True)
    return typer.Exit(2)


def _summary(found: Record, verified: bool) -> dict[str, Any]:
    ended = [outcome for act in found.acts.values() for outcome in act.ended]
    return {
        "entries": found.entries,
        "erased": found.erased_entries,
        "acts": len(found.acts),
        "receipts": len(ended),
        "signatures_checked": verified,
        "head": f"{found.head.seq}:{found.head.hash}" if found.head else "",
    }


def _print(summary: dict[str, Any], findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        members = [{"fault": found.fault.value, "where": found.where, "says": found.says} for found in findings]
        typer.echo(json.dumps(summary | {"findings": members}))
        return
    for found in findings:
        typer.echo(_shown(f"{found.where}: {found.says}"))
    typer.echo(
        f"read: {summary['entries']} entries ({summary['erased']} erased), {summary['acts']} acts, "
        f"{summary['receipts']} receipts, {summary['bundles']} bundles of evidence"
    )
    if summary["bundles_of_other_services"]:
        typer.echo(f"passed over: {summary['bundles_of_other_services']} bundles of other services")
    if not summary["signatures_checked"]:
        typer.echo("not checked: signatures of receipts and offers (give --key or --jwks)")
    typer.echo(f"head: {summary['head']}")
    typer.echo(f"{len(findings)} {'finding' if len(findings) == 1 else 'findings'}" if findings else "all agrees")


def _shown(text: str) -> str:
    """Give a text for a terminal: what a stranger's file holds moves no cursor."""
    return text if text.isprintable() else ascii(text)
