"""Whose a connection on this machine is, where the system tells: a port, and an argument of a command, is no secret.

Every user sees what others start, so the address with which a browser is opened too, and may listen at a free port with
the public keys of who listened there before. Linux says to which user each end belongs; elsewhere nothing is known.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTENS: Final = "0A"
_COLUMNS: Final = 8
_ROOT: Final = 0


def is_foreign_caller(port: int, to: int) -> bool:
    """Tell whether another user of this machine, but for its root, has connected from `port` to the port `to`."""
    return any(_foreign(owner) for local, remote, _, owner in _rows() if (local, remote) == (port, to))


def is_foreign_listener(port: int) -> bool:
    """Tell whether another user of this machine, but for its root, listens at a port."""
    return any(map(_foreign, listeners(port)))


def listeners(port: int) -> set[int]:
    """Give the users who listen at a port."""
    return {owner for local, _, state, owner in _rows() if local == port and state == _LISTENS}


def parse(text: str) -> Iterator[tuple[int, int, str, int]]:
    """Read a table of connections: ports at this and the other end, state, user."""
    for line in text.splitlines()[1:]:
        columns = line.split()
        if len(columns) >= _COLUMNS:
            local, remote, state, owner = columns[1], columns[2], columns[3], columns[7]
            yield int(local.rpartition(":")[2], 16), int(remote.rpartition(":")[2], 16), state, int(owner)


def _rows() -> Iterator[tuple[int, int, str, int]]:
    for table in _TABLES:
        if table.exists():
            yield from parse(table.read_text("ascii"))


def _foreign(owner: int) -> bool:
    return owner not in {_ROOT, os.getuid()}
