"""The approval servers a service accepts, and their keys."""

from __future__ import annotations

import enum
import time
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import jwk, metadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oneact.documents import CachedDocuments
    from oneact.protocol.jwk import PublicKey
    from oneact.protocol.metadata import ServerMetadata
    from oneact.service.store.contract import Store

_TTL: Final = 300.0
_MAX_ISSUERS: Final = 256
_MAX_LENGTH: Final = 1024


class Linked(enum.Enum):
    """The one value that stands for "whichever approval server the person links"."""

    LINKED = "linked"


LINKED: Final = Linked.LINKED


class Issuers:
    """The accepted approval servers: those listed, or those that some account is linked to."""

    def __init__(self, accepted: Sequence[str] | Linked, store: Store, documents: CachedDocuments) -> None:
        self.listed = None if isinstance(accepted, Linked) else tuple(accepted)
        self._store = store
        self.documents = documents
        self._keys: dict[str, tuple[float, Mapping[str, PublicKey]]] = {}

    async def accepts(self, issuer: str) -> bool:
        """Tell whether acts approved at `issuer` are taken; it is compared as text, and nothing is fetched."""
        if self.listed is not None:
            return issuer in self.listed
        return await self._store.issuer_is_linked(issuer)

    def may_link(self, issuer: str) -> bool:
        """Tell whether an account may be linked to `issuer`."""
        if self.listed is not None:
            return issuer in self.listed
        return _well_formed(issuer)

    def known(self) -> dict[str, Mapping[str, PublicKey]]:
        """Give the keys at hand, by issuer; those older than 300 seconds are not."""
        now = time.monotonic()
        return {issuer: keys for issuer, (until, keys) in self._keys.items() if now < until}

    async def metadata(self, issuer: str) -> ServerMetadata:
        """Give the server's metadata; refuses `metadata_invalid`."""
        address = metadata.well_known(issuer, metadata.SERVER_PATH)
        return metadata.parse_server(await self.documents.get_json(address), issuer)

    async def endpoint(self, issuer: str, name: str) -> str:
        """Give one endpoint of the server; refuses `metadata_invalid` where it has none."""
        return (await self.metadata(issuer)).endpoint(name)

    async def keys(self, issuer: str, *, refresh: bool = False) -> Mapping[str, PublicKey]:
        """Fetch the server's keys, or give them from the cache; `refresh` where a `kid` was not among them."""
        address = await self.endpoint(issuer, "jwks_uri")
        document = await (self.documents.refresh(address) if refresh else self.documents.get_json(address))
        keys = jwk.parse_set(document, Reason.METADATA_INVALID)
        if len(self._keys) >= _MAX_ISSUERS:
            self._keys.clear()
        self._keys[issuer] = (time.monotonic() + _TTL, keys)
        return keys


def _well_formed(issuer: str) -> bool:
    if not issuer.isascii() or not issuer.isprintable() or len(issuer) > _MAX_LENGTH:
        return False
    try:
        parts = metadata.split(issuer)
    except Refusal:
        return False
    return (
        parts.scheme in {"https", "http"}
        and bool(parts.hostname)
        and not (parts.query or parts.fragment or parts.username or issuer.endswith("/"))
    )
