"""What every use case of the server is given: its settings, its store, its key, its clock."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from oneact import keyfile
from oneact.documents import CachedDocuments
from oneact.errors import Refusal
from oneact.fetch import Fetcher
from oneact.protocol import base64url
from oneact.server import starting
from oneact.server.limits import RateLimits
from oneact.server.nonces import Nonces, SeenOnce
from oneact.server.tlog.head import Head, open_head
from oneact.server.waiting import Waiting
from oneact.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.protocol.jwk import SigningKey
    from oneact.server.hosting import Host
    from oneact.server.settings import Settings
    from oneact.store import Store

_ID_OCTETS: Final = 16


def new_id() -> str:
    """Give 128 random bits in base64url, 22 characters."""
    return base64url.encode(secrets.token_bytes(_ID_OCTETS))


def now() -> int:
    """Give the second since the epoch."""
    return int(time.time())


@dataclass(slots=True)
class World:
    """One running server. `keys[0]` signs; all of them are published. `host` is the one service it is for, if it is."""

    settings: Settings
    store: Store
    keys: tuple[SigningKey, ...]
    fetch: CachedDocuments
    log: Head
    host: Host | None = None
    now: Callable[[], int] = now
    new_id: Callable[[], str] = new_id
    waiting: Waiting = field(default_factory=Waiting)
    nonces: Nonces = field(default_factory=lambda: Nonces(secrets.token_bytes(32)))
    seen: SeenOnce = field(default_factory=SeenOnce)
    limits: RateLimits = field(default_factory=RateLimits)

    @property
    def issuer(self) -> str:
        """Give the issuer identifier."""
        return self.settings.issuer

    @property
    def key(self) -> SigningKey:
        """Give the key that signs."""
        return self.keys[0]


async def open_world(settings: Settings, clock: Callable[[], int] = now, host: Host | None = None) -> World:
    """Open the store and the key files, making them at the first start.

    A server for one service reaches it in the way that `host` knows.

    Refuses `key_malformed` and `store_unavailable` for files that cannot be used, `request_malformed` for a database
    that was begun under another name, and `log_…` for one that is not the one whose checkpoint was shown last.
    """
    signing = await asyncio.to_thread(keyfile.load_or_create, settings.key_file)
    store = await SqliteStore.open(settings.database)
    try:
        await starting.hold_to_beginning(settings, store)
        log = await open_head(settings, store)
    except Refusal:
        await store.close()
        raise
    fetcher = Fetcher(settings.public_url, settings.private_hosts)
    documents = CachedDocuments(fetcher if host is None else host.reaching(fetcher))
    return World(settings, store, signing, documents, log, host, now=clock)


async def try_out(settings: Settings) -> None:
    """Open and close, so that whatever keeps the server from starting is known before it listens."""
    world = await open_world(settings)
    await world.store.close()
