"""Ports of this machine's own address, both of them: a browser asks `::1` first for what `localhost` is.

Any user of a machine may listen at a port that is free. Who has it at 127.0.0.1 alone leaves `::1` to the others, and
with it the name, its cookies and its passkeys: so the port is held there too, where nobody is answered.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
from typing import Any, Final

IPV4: Final = "127.0.0.1"
IPV6: Final = "::1"
_ABSENT: Final = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}
_WINDOWS: Final = sys.platform == "win32"


class _Port(socket.socket):
    """A socket with the one that holds its port at the other address, closed together."""

    beside: socket.socket | None = None

    def close(self) -> None:
        """Close both."""
        super().close()
        if self.beside is not None:
            self.beside.close()


def bind(port: int) -> socket.socket:
    """Bind a port of loopback, any where it is 0; raises OSError where somebody has it at either address."""
    found = _Port(socket.AF_INET)
    try:
        if not _WINDOWS:  # there it would let others bind it as well
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((IPV4, port))
        found.beside = hold(found.getsockname()[1])
    except OSError:
        found.close()
        raise
    return found


def hold(port: int, address: str = IPV6) -> socket.socket | None:
    """Hold a port at the other address of loopback; None where this machine has no such address.

    Nothing listens there, so that programs go on to the first address at once. Raises OSError where it is taken.
    """
    found = socket.socket(socket.AF_INET6 if address == IPV6 else socket.AF_INET)
    try:
        with contextlib.suppress(AttributeError):  # where it is unknown, a bound address is its owner's alone
            exclusive: Any = socket.SO_EXCLUSIVEADDRUSE  # type: ignore[attr-defined,unused-ignore]  # on Windows
            found.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        found.bind((address, port))
    except OSError as error:
        found.close()
        if error.errno in _ABSENT:
            return None
        raise
    return found
