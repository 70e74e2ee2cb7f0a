"""Where the proxies of one user keep what they keep: folders and files that their owner alone reads."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import re
import secrets
import sys
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from oneact.agent import keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MOST: Final = 32
START: Final = "start"  # the file with the address of a start page; empty while nobody can begin there yet
_WINDOWS: Final = sys.platform == "win32"
_RUNNERS: Final = frozenset(
    {"npx", "uvx", "uv", "node", "python", "python3", "bunx", "pipx", "docker", "run", "tool", "env"}
)
_FLAGS: Final = frozenset({"-y", "--yes", "-i", "-t", "-it", "--rm", "-q", "--quiet", "-m", "--"})  # they have no value


def home() -> Path:
    """Give the folder of all that is kept: ONEACT_HOME, or the user's configuration."""
    return keys.folder()


def server_folder(name: str) -> Path:
    """Give the folder of one proxied server, made if absent."""
    return made("mcp", re.sub(r"[^A-Za-z0-9._-]+", "_", name))


def starts() -> list[tuple[str, str]]:
    """Give the names of the proxied servers that no passkey is linked to yet, each with its start page's address.

    That is empty as long as the proxy, or the approval server that it starts, is not there yet.
    """
    found = sorted((home() / "mcp").glob(f"*/*/{START}"))
    return [(file.parent.parent.name, file.read_text("ascii")) for file in found if in_use(file.parent)]


def in_use(folder: Path) -> bool:
    """Tell whether a process uses this folder of a server."""
    opened = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        return not _lock(opened, wait=False)
    finally:
        os.close(opened)


def made(*names: str) -> Path:
    """Give a folder below that of all, made if absent, each for its owner alone."""
    folder = home()
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True, mode=0o700)
    for name in names:
        folder /= name
        folder.mkdir(exist_ok=True, mode=0o700)
    return folder


def name_of(command: Sequence[str], url: str) -> str:
    """Make a name for a server that has been given none: of what it is, and a digest of how it is reached.

    The name is shown and told to others, and addresses and options hold credentials: of an address it has the host, of
    a command the first word that is no value of anything.
    """
    if url:
        said = urlsplit(url).hostname or "server"
    else:
        plain = [
            part
            for before, part in itertools.pairwise(["", *command])
            if not part.startswith("-") and "=" not in part and (not before.startswith("-") or before in _FLAGS)
        ]
        named = [part for part in plain if os.path.basename(part).split(".")[0].lower() not in _RUNNERS]  # noqa: PTH119 - a text of an argument
        said = os.path.basename((named or plain or ["server"])[0].rstrip("/"))  # noqa: PTH119 - the same
    short = re.sub(r"[^A-Za-z0-9.-]+", "-", said.partition("@")[0] or said).strip("-.")[:40] or "server"
    whole = hashlib.sha256(json.dumps([list(command), url]).encode()).hexdigest()
    return f"{short}-{whole[:8]}"


@contextlib.contextmanager
def slot(server: Path, most: int = MOST) -> Iterator[Path]:
    """Give a folder that no other process uses as long: the first free one of this server's.

    Raises OSError where so many, at `most`, are in use.
    """
    for number in range(1, most + 1):
        folder = server / str(number)
        folder.mkdir(exist_ok=True, mode=0o700)
        opened = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        if _lock(opened, wait=False):
            try:
                yield folder
            finally:
                os.close(opened)
            return
        os.close(opened)
    raise OSError(f"no more than {most} of this server's proxies can run at once")


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a lock that all processes of this user respect."""
    opened = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(opened, wait=True)
        yield
    finally:
        os.close(opened)


def write(file: Path, octets: bytes) -> None:
    """Write a file whole, readable by its owner alone."""
    beside = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(octets)
        opened.flush()
        os.fsync(opened.fileno())
    beside.replace(file)


if sys.platform == "win32":
    import msvcrt

    def _lock(opened: int, *, wait: bool) -> bool:
        try:
            msvcrt.locking(opened, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(opened: int, *, wait: bool) -> bool:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def read_json(file: Path) -> Any:  # noqa: ANN401 - what stands there
    """Give what stands in a file of ours; None where it is absent."""
    return json.loads(file.read_bytes()) if file.exists() else None
