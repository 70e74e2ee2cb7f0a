"""The service's own keys: one file, the first key signs, the first two verify offers; a changed file is read again.

An operator rotates the key of running processes by replacing the file whole. A new first key is published and its
offers are accepted at once, but it signs a few seconds later: whoever fetched the keys a moment ago may not yet ask
for them again.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from oneact import keyfile
from oneact.errors import Refusal

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import SigningKey

GENERATIONS: Final = 2
SETTLE: Final = 15  # seconds; approval servers refetch keys for an unknown `kid` once in 10
_TXN_INFO: Final = b"oneact-txn-key-1"
_LOG: Final = logging.getLogger("oneact.service")

_Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Held:
    """What a file held when it was read."""

    keys: tuple[SigningKey, ...]
    txn_keys: tuple[bytes, ...]
    jwks: dict[str, Json]


class Changed(NamedTuple):
    """When a file changed last (seconds), and what tells that version from others."""

    at: float
    stamp: _Stamp


class ServiceKeys:
    """The service's keys, as the file has them now.

    `signing` makes offers, receipts and assertions, `txn_keys` the identifiers of offers, newest first; `jwks` is what
    is published. A file that cannot be read any more changes nothing, and is logged.
    """

    def __init__(self, file: Path) -> None:
        """Read the file, made with one ES256 key where it is absent; refuses `key_malformed`."""
        self._file = file
        self._lock = threading.Lock()
        self._held = _holding(keyfile.load_or_create(file))
        self._changed = _changed(file)

    @property
    def signing(self) -> SigningKey:
        """Give the key that signs: the first, or the second while the first is new."""
        keys = self._current().keys
        is_new = 0 <= time.time() - self._changed.at < SETTLE
        return keys[1] if is_new and len(keys) > 1 else keys[0]

    @property
    def txn_keys(self) -> tuple[bytes, ...]:
        """Give the secrets by which offers are recognised, newest first."""
        return self._current().txn_keys

    @property
    def jwks(self) -> dict[str, Json]:
        """Give the JWK Set to publish."""
        return self._current().jwks

    def _current(self) -> _Held:
        """Give what the file holds, read again where it is another than before."""
        try:
            found = _changed(self._file)
        except OSError:  # replaced at this moment, or taken away: what was read stands
            return self._held
        if found.stamp != self._changed.stamp:
            with self._lock:
                self._read_again(found)
        return self._held

    def _read_again(self, found: Changed) -> None:
        if found.stamp == self._changed.stamp:  # another thread was faster
            return
        try:
            self._held = _holding(keyfile.load(self._file))
            _LOG.warning("the key file was read again: %d keys", len(self._held.keys))
        except Refusal:
            _LOG.exception("the key file has changed and cannot be used: the keys read before stand")
        self._changed = found


def load(path: str | Path) -> ServiceKeys:
    """Give the keys of a file, made with one ES256 key where it is absent; refuses `key_malformed`."""
    return ServiceKeys(Path(path))


def _holding(signing: tuple[SigningKey, ...]) -> _Held:
    published: list[Json] = [key.public.public_jwk() for key in signing]
    return _Held(signing, tuple(_txn_key(key) for key in signing[:GENERATIONS]), {"keys": published})


def _changed(file: Path) -> Changed:
    found = file.stat()
    return Changed(found.st_mtime, (found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size))


def _txn_key(key: SigningKey) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=_TXN_INFO).derive(key.secret_octets())
