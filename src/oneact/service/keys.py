"""The service's own keys: one file, the first key signs, the first two verify offers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from oneact import keyfile

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import SigningKey

_TXN_INFO: Final = b"oneact-txn-key-1"
_GENERATIONS: Final = 2


@dataclass(frozen=True, slots=True)
class ServiceKeys:
    """The service's keys: `signing` makes offers, receipts and assertions, `txn_keys` the identifiers of offers."""

    signing: SigningKey
    txn_keys: tuple[bytes, ...]
    jwks: dict[str, Json]


def load(path: str | Path) -> ServiceKeys:
    """Read the key file, made with one ES256 key where it is absent; refuses `key_malformed`."""
    signing = keyfile.load_or_create(Path(path))
    published: list[Json] = [key.public.public_jwk() for key in signing]
    return ServiceKeys(signing[0], tuple(_txn_key(key) for key in signing[:_GENERATIONS]), {"keys": published})


def _txn_key(key: SigningKey) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=_TXN_INFO).derive(key.secret_octets())
