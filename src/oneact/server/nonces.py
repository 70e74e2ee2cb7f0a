"""DPoP nonces without state, and the identifiers that may be seen only once (RFC 9449 sections 8 and 11.1)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from oneact.protocol import base64url

_BUCKET: Final = 60
_MAX_SEEN: Final = 200_000


class Nonces:
    """Nonces that are good for one to two minutes; made from a secret of this process, so a restart ends them all."""

    def __init__(self, secret: bytes) -> None:
        """Take 32 random octets."""
        self._secret = secret

    def current(self, now: int) -> str:
        """Give the nonce to hand out at second `now`."""
        return self._at(now // _BUCKET)

    def good(self, now: int) -> tuple[str, str]:
        """Give the nonces that are accepted at second `now`."""
        return self._at(now // _BUCKET), self._at(now // _BUCKET - 1)

    def _at(self, bucket: int) -> str:
        return base64url.encode(hmac.digest(self._secret, bucket.to_bytes(8, "big"), hashlib.sha256)[:16])


class SeenOnce:
    """Identifiers that were seen, each until it could not be used any more anyway.

    One process suffices: a nonce belongs to one process, and without a good nonce nothing gets here.
    """

    def __init__(self) -> None:
        self._until: dict[str, int] = {}

    def first(self, identifier: str, until: int, now: int) -> bool:
        """Note an identifier that can be used until second `until`; False if it was there, or no room is left."""
        if self._until.get(identifier, 0) > now:
            return False
        if len(self._until) >= _MAX_SEEN:
            self._until = {name: end for name, end in self._until.items() if end > now}
            if len(self._until) >= _MAX_SEEN:
                return False
        self._until[identifier] = until
        return True
