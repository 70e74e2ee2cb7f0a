"""Where the sidecar listens: a Unix socket of its owner's alone, or loopback behind a secret."""

from __future__ import annotations

import os
import secrets
import socket
import stat
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_SECRET_OCTETS: Final = 32
_MIN_SECRET: Final = 32
_MAX_PORT: Final = 65535
UNIX_HOST: Final = "localhost"


@dataclass(frozen=True, slots=True)
class Door:
    """A listening socket, and who may come in: the names that Host may have (None: any), and the secret, if any."""

    socket: socket.socket
    where: str
    hosts: frozenset[str] | None
    secret: str | None = field(default=None, repr=False)


def door(path: Path | None, address: str, secret_file: Path | None, *, anywhere: bool) -> Door:
    """Listen on the Unix socket `path` or at `address`; raises ValueError for both, neither, or what cannot be."""
    if path is not None and not address:
        return unix(path)
    if path is None and address:
        return tcp(address, secret_file, anywhere=anywhere)
    raise ValueError("give either --unix or --listen")


def unix(path: Path) -> Door:
    """Listen on a Unix socket, 0600 from its first moment; raises ValueError where that cannot be.

    A socket that nobody listens on any more, as a killed process leaves it, makes room.
    """
    _make_room(path)
    before = os.umask(0o177)
    try:
        made = _bound(socket.AF_UNIX, str(path), str(path))
    finally:
        os.umask(before)
    return Door(made, f"unix:{path}", frozenset({UNIX_HOST}))


def tcp(address: str, secret_file: Path | None, *, anywhere: bool) -> Door:
    """Listen on `host:port`, loopback unless `anywhere`; raises ValueError where that cannot be.

    Every local user reaches a loopback port, so the service shows the secret of `secret_file`, made where it is absent.
    """
    host, port = _split(address)
    if secret_file is None:
        raise ValueError("a port is open to every user of this machine: give --secret-file, or --unix instead")
    if not ip_address(host).is_loopback and not anywhere:
        raise ValueError(f"{host} is not on this machine's loopback; --unix or 127.0.0.1, see docs/sidecar.md")
    secret, named = _secret(secret_file), f"[{host}]" if ":" in host else host
    made = _bound(socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port), address)
    hosts = frozenset({f"{named}:{port}", f"localhost:{port}"})
    return Door(made, f"http://{named}:{port}", None if anywhere else hosts, secret)


def _bound(family: socket.AddressFamily, place: str | tuple[str, int], shown: str) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    if family is not socket.AF_UNIX:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(place)
    except OSError as error:
        made.close()
        raise ValueError(f"{shown} cannot be listened on: {error.strerror or error}") from error
    return made


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        ip_address(host)
    except ValueError as error:
        raise ValueError(f"--listen {address!r} is an IP address and a port, like 127.0.0.1:8450") from error
    if not port.isascii() or not port.isdecimal() or not 0 < int(port) <= _MAX_PORT:
        raise ValueError(f"--listen {address!r} is an IP address and a port, like 127.0.0.1:8450")
    return host, int(port)


def _make_room(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_socket():
        raise ValueError(f"{path} is there, and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ValueError(f"{path} cannot be listened on: {error.strerror or error}") from error
        else:
            raise ValueError(f"another process listens on {path}")


def _secret(file: Path) -> str:
    """Read the secret, made where its file is absent; one that others can read is none."""
    try:
        if not file.exists():
            opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(opened, "w") as writing:
                writing.write(secrets.token_urlsafe(_SECRET_OCTETS) + "\n")
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise ValueError(f"others can read {file}; make it 0600")
        found = file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} cannot be used: {error}") from error
    if len(found) < _MIN_SECRET:
        raise ValueError(f"{file} holds fewer than {_MIN_SECRET} characters")
    return found
