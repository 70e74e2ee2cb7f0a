"""Opening a pairing: read the file that keeps it; on first use make the key, register it and pair."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from oneact.agent import keys, pairing
from oneact.agent.client import Shell
from oneact.agent.errors import Refused, as_refused
from oneact.errors import Reason, Refusal
from oneact.protocol import jwk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from oneact.agent.keys import Pairing
    from oneact.protocol.metadata import ServerMetadata


async def opened(
    issuer: str,
    file: Path,
    name: str,
    on_code: Callable[[str, str], None] | None,
    pairing_code: str,
    *,
    again: bool,
) -> tuple[Shell, ServerMetadata, Pairing]:
    """Give the shell, the server's metadata and the pairing; arguments and errors are those of `Agent.open`."""
    with _key_file(file):
        found = keys.load(file, issuer)
    shell = Shell(found.key, issuer)
    try:
        with as_refused():
            server = await shell.run(pairing.discover(issuer))
        if again or not found.client_id:
            found = found.registered(await shell.run(pairing.register(server, found.key.public, name)))
            _save(file, found)
        shell.client_id = found.client_id
        if again or not found.hint:
            show = on_code or partial(_print, jwk.fingerprint(found.key.public.thumbprint))
            found = found.paired(await shell.run(pairing.pair(server, name, show, pairing_code)))
            _save(file, found)
    except BaseException:
        await shell.close()
        raise
    return shell, server, found


@contextlib.contextmanager
def _key_file(file: Path) -> Iterator[None]:
    """Give what is wrong with the file as a refusal that says so; it is the author's own machine."""
    try:
        yield
    except Refusal as refusal:
        raise Refused(refusal.reason.value, refusal.detail) from refusal
    except OSError as error:
        raise Refused(Reason.KEY_MALFORMED.value, f"{file}: {error.strerror}") from error


def _save(file: Path, found: Pairing) -> None:
    with _key_file(file):
        keys.save(file, found)


def _print(fingerprint: str, code: str, address: str) -> None:
    task = f"open {address} and type {code}" if code else f"its person has to confirm it at {address}"
    print(f"To pair this agent, {task}\nIts fingerprint is {fingerprint}", flush=True)  # noqa: T201 - the person has to see it
