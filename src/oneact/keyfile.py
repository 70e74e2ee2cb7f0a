"""A file of private keys: one JWK or a JWK Set, newest first, which only its owner can read."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Literal

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, jwk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from oneact.protocol.jwk import SigningKey


def load_or_create(file: Path, alg: Literal["ES256", "EdDSA"] = "ES256") -> tuple[SigningKey, ...]:
    """Read the keys of a file, made with one key of `alg` where it is absent.

    Refuses `key_malformed` for a file that holds anything else, that others can read, or that cannot be read or made.
    """
    try:
        if not file.exists():
            _create(file, alg)
    except OSError as error:
        raise Refusal(Reason.KEY_MALFORMED, f"the key file {file} cannot be used: {error.strerror}") from error
    return load(file)


def load(file: Path) -> tuple[SigningKey, ...]:
    """Read the keys of a file that is there; refuses `key_malformed` as above."""
    try:
        return _parse(_read(file))
    except OSError as error:
        raise Refusal(Reason.KEY_MALFORMED, f"the key file {file} cannot be used: {error.strerror}") from error
    except Refusal as refusal:
        raise Refusal(Reason.KEY_MALFORMED, f"the key file {file} cannot be used: {refusal.detail}") from refusal


def generate(alg: Literal["ES256", "EdDSA"]) -> SigningKey:
    """Make a fresh key."""
    edwards = alg == "EdDSA"
    return jwk.SigningKey(ed25519.Ed25519PrivateKey.generate() if edwards else ec.generate_private_key(ec.SECP256R1()))


@contextlib.contextmanager
def replacing(file: Path) -> Iterator[Callable[[Sequence[SigningKey]], None]]:
    """Give a function that puts other keys into a file that is there: whole, 0600, of the same owner.

    The file stays away from other writers until the block ends: a second one is refused `key_malformed`.
    """
    file = file.resolve()
    beside = file.with_name(f"{file.name}.new")
    try:
        made = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        says = f"{beside} is there: another change is under way; delete it if one was cut off"
        raise Refusal(Reason.KEY_MALFORMED, says) from error
    except OSError as error:
        raise Refusal(Reason.KEY_MALFORMED, f"{beside} cannot be made: {error.strerror}") from error
    stands = True
    with os.fdopen(made, "wb") as opened:

        def put(keys: Sequence[SigningKey]) -> None:
            nonlocal stands
            found, own = file.stat(), os.fstat(made)
            if (found.st_uid, found.st_gid) != (own.st_uid, own.st_gid):
                os.fchown(made, found.st_uid, found.st_gid)  # else the service could not read its own keys any more
            opened.write(canonical.encode({"keys": [key.private_jwk() for key in keys]}) + b"\n")
            opened.flush()
            os.fsync(made)
            beside.replace(file)
            stands = False
            _sync_folder(file.parent)

        try:
            yield put
        except OSError as error:
            raise Refusal(Reason.KEY_MALFORMED, f"the key file {file} cannot be replaced: {error.strerror}") from error
        finally:
            if stands:
                beside.unlink()


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _read(file: Path) -> bytes:
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise Refusal(Reason.KEY_MALFORMED, "others can read it; make it 0600")
    return file.read_bytes()


def _parse(octets: bytes) -> tuple[SigningKey, ...]:
    value = canonical.parse(octets)
    listed = value["keys"] if isinstance(value, dict) and "keys" in value else [value]
    if not isinstance(listed, list) or not listed:
        raise Refusal(Reason.KEY_MALFORMED, "it holds no key")
    return tuple(jwk.parse_private(entry) for entry in listed)


def _create(file: Path, alg: Literal["ES256", "EdDSA"]) -> None:
    """Write a fresh key whole under another name and link it: of two processes that start at once, one's key stands."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = generate(alg)
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(canonical.encode(fresh.private_jwk()) + b"\n")
        opened.flush()
        os.fsync(opened.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(beside, file)
    beside.unlink()
