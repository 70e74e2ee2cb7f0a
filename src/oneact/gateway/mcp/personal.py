"""The approval server of one person on one machine, shared by all of their proxies and older than none of them.

It is a process of its own, which stays when the proxy that started it ends: the person may decide later, and the next
proxy finds it running. Its process identifier stands beside its database.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from oneact import fetch
from oneact.errors import Refusal
from oneact.gateway.mcp import owners, places
from oneact.keyfile import load
from oneact.protocol import jwk, metadata

if TYPE_CHECKING:
    from pathlib import Path

PORT: Final = 8771
_START: Final = 30.0  # seconds in which it has to answer
_PASSED: Final = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP")


class _Apart(subprocess.Popen[bytes]):
    """A process that outlives the one that has started it, and so is never waited for."""

    def __del__(self) -> None:
        """Let it run."""


def issuer() -> str:
    """Give its address, on the port of ONEACT_APPROVE_PORT or 8771."""
    return f"http://localhost:{os.environ.get('ONEACT_APPROVE_PORT') or PORT}"


def ensure() -> str:
    """See that it runs, and give its address; blocks the calling thread.

    Raises OSError where it cannot be started, or where something else has taken its port.
    """
    folder, address = places.made("approve"), issuer()
    with places.locked(folder / "lock"):
        if _is_ours(folder, address):
            return address
        process = _start(folder, address)
        until = time.monotonic() + _START
        while time.monotonic() < until:
            if _is_ours(folder, address):
                return address
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise OSError(f"the approval server {address} cannot be started; what it said stands in {folder / 'log'}")


def is_taken(address: str) -> bool:
    """Tell whether another user's program listens where the person's own approval server should, with whatever keys."""
    return address == issuer() and owners.is_foreign_listener(int(address.rpartition(":")[2]))


def _start(folder: Path, address: str) -> subprocess.Popen[bytes]:
    """Start it apart from this process: it sees nothing of the environment in which servers get their credentials."""
    port = address.rpartition(":")[2]
    command = [
        sys.executable, "-m", "oneact.cli", "serve", "--public-url", address, "--port", port,
        "--database", str(folder / "server.db"), "--key-file", str(folder / "server.jwk"),
    ]  # fmt: skip
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    with (folder / "log").open("ab") as log:
        process = _Apart(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True,
            cwd=folder,
        )  # fmt: skip
    places.write(folder / "pid", str(process.pid).encode())
    return process


def _is_ours(folder: Path, address: str) -> bool:
    """Tell whether what answers there signs with the keys in our folder: any program may listen on a port."""
    key_file = folder / "server.jwk"
    if not key_file.exists() or is_taken(address):
        return False
    try:
        own = {key.public.thumbprint for key in load(key_file)}
        found = fetch.fetch("GET", metadata.well_known(address, metadata.SERVER_PATH), private_hosts=("localhost",))
        published = metadata.parse_server(found.json(), address)
        listed = fetch.fetch("GET", published.endpoint("jwks_uri"), private_hosts=("localhost",)).json()
        return bool(own & {key.thumbprint for key in jwk.parse_set(listed).values()})
    except Refusal:
        return False
