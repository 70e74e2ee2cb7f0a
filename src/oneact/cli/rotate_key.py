"""`oneact service rotate-key`: give a service a new key, and take one away when its time is over."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from oneact.protocol.jwk import SigningKey


def rotate_key(
    key: Annotated[Path, typer.Option(help="The service's key file; running guards read it again by themselves.")],
    retire: Annotated[str, typer.Option(help="The `kid` of an old key: take it away, and add none.")] = "",
    store: Annotated[
        Path | None, typer.Option(help="The guard's SQLite file, to see that no receipt of the key is under way.")
    ] = None,
) -> None:
    """Put a new key before those of the file, or take an old one away.

    Exit status: 0 done, 1 it is too early or no such key, 2 something cannot be read or written.
    """
    from oneact import keyfile
    from oneact.errors import Refusal
    from oneact.service import rotation

    try:
        with keyfile.replacing(key) as put:
            before, since = keyfile.load(key), time.time() - key.stat().st_mtime
            if retire:
                put(rotation.without(before, retire, since, _undelivered(store)))
            else:
                put(rotation.with_new(before, keyfile.generate("ES256"), since))
        after = keyfile.load(key)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except (OSError, Refusal) as error:
        typer.echo(f"the key or the store cannot be used: {error}", err=True)
        raise typer.Exit(2) from error
    _say(before, after, checked=store is not None)


def _undelivered(store: Path | None) -> list[str]:
    from oneact.service.store.snapshot import snapshot

    if store is None:
        return []
    with snapshot(store) as opened:
        return list(opened.undelivered())


def _say(before: tuple[SigningKey, ...], after: tuple[SigningKey, ...], *, checked: bool) -> None:
    from oneact.service import keys

    left = {key.public.thumbprint for key in after}
    for gone in (key for key in before if key.public.thumbprint not in left):
        typer.echo(f"retired {gone.public.thumbprint}; for later audits keep its public key:")
        typer.echo(json.dumps(gone.public.public_jwk()))
        if not checked:
            typer.echo("not checked: receipts of it that are under way (give --store)")
        return
    typer.echo(f"added {after[0].public.thumbprint}: published now, signs in {keys.SETTLE} seconds")
    for kept in after[1:]:
        typer.echo(f"kept {kept.public.thumbprint}")
