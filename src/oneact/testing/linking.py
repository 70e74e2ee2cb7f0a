"""Linking an in-process approver to a guard under test, without HTTP and without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oneact.documents import CachedDocuments
from oneact.fetch import LOCAL_NAMES
from oneact.protocol import metadata
from oneact.service.store.contract import Link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.canonical import Json
    from oneact.protocol.roster import Roster
    from oneact.service.guard import GuardCore

_JWKS_PATH = "/oauth/jwks.json"


async def link(guard: GuardCore, account: str, roster: Roster, jwks: Mapping[str, Json]) -> None:
    """Pin a roster for a local account, and let the guard find the keys `jwks` of its issuer in memory.

    What an earlier test has linked at this issuer to the account or the person is taken off first. Raises ValueError
    for a guard that is not on localhost or does not accept the issuer, and for an account that is linked elsewhere.
    """
    if urlsplit(guard.resource).hostname not in LOCAL_NAMES:
        raise ValueError(f"oneact.testing runs on localhost only, and the guard stands for {guard.resource}")
    if not guard.issuers.may_link(roster.iss):
        raise ValueError(f"the guard does not accept {roster.iss}: its issuers= under test have to name it")
    _hold(guard, roster.iss, jwks)
    await guard.store.open()
    before = await guard.store.find_link(roster.iss, roster.sub)
    for linked in {account, before.account} if before else {account}:
        await guard.store.unlink(linked, roster.iss, guard.now())
    if not await guard.store.link(Link(account, roster, guard.now())):
        raise ValueError(f"{account!r} is linked to another approval server: give the tests a store of their own")


class HeldDocuments(CachedDocuments):
    """Documents of which some are held in memory, by URL; the others are fetched as ever."""

    def __init__(self, others: CachedDocuments) -> None:
        super().__init__(others.fetcher)
        self.held: dict[str, Json] = {}
        self._others = others

    async def get_json(self, url: str) -> Json:
        """Give the document held for `url`, or fetch it."""
        return self.held[url] if url in self.held else await self._others.get_json(url)

    async def refresh(self, url: str) -> Json:
        """Give the document held for `url`, or fetch it anew."""
        return self.held[url] if url in self.held else await self._others.refresh(url)


def _hold(guard: GuardCore, issuer: str, jwks: Mapping[str, Json]) -> None:
    if not isinstance(guard.issuers.documents, HeldDocuments):
        guard.issuers.documents = HeldDocuments(guard.issuers.documents)
    published = metadata.ServerMetadata(issuer, {"jwks_uri": issuer + _JWKS_PATH}).document()
    guard.issuers.documents.held |= {
        metadata.well_known(issuer, metadata.SERVER_PATH): published,
        issuer + _JWKS_PATH: dict(jwks),
    }
