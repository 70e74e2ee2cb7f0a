"""The service as its embedded approval server sees it: who is signed in, what is pinned, where one signs in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneact.embedded.calling import SIGNED_IN
from oneact.embedded.within import Within
from oneact.errors import Reason, Refusal
from oneact.protocol import roster
from oneact.server.hosting import Guest
from oneact.service import endpoints, unlinking
from oneact.service.store.contract import Link

if TYPE_CHECKING:
    from starlette.requests import Request as BrowserRequest

    from oneact.fetch import Fetcher
    from oneact.protocol.roster import Roster, SignedRoster
    from oneact.server.world import World
    from oneact.service.approvals import SignedIn
    from oneact.service.exchange import Answer, Request
    from oneact.service.guard import GuardCore


class Hosting:
    """The `Host` of a server that is embedded beside a guard."""

    keeps_session = False

    def __init__(self, guard: GuardCore) -> None:
        self._guard = guard
        self.resource, self.name, self.now = guard.resource, guard.name, guard.now

    async def guest(self, _: World, request: BrowserRequest) -> Guest | None:
        """Give who is signed in at the service, as its own `account=` tells for this request."""
        signed_in: SignedIn = request.scope[SIGNED_IN]
        found = await signed_in()
        return None if found is None else Guest(found.id, found.label.strip() or found.id, found.auth_time)

    async def standing(self, _: World, guest: Guest) -> Roster | None:
        """Give the roster that is pinned for an account."""
        links = await self._guard.store.links(guest.id)
        return links[0].roster if links else None

    async def link(self, world: World, guest: Guest, signed: SignedRoster) -> None:
        """Pin the first roster of an account, vouched for by its own passkey, or a later one of the same person.

        Refuses `link_exists` where it has another's, and `roster_…` for what does not follow.
        """
        guard, found, proof = self._guard, signed.roster, signed.webauthn.members()
        pinned = await self.standing(world, guest)
        if pinned is not None:
            roster.check_next(signed, pinned)
            if not await guard.store.pin(found, pinned.seq, guard.now(), proof):
                raise Refusal(Reason.ROSTER_SEQ, "another roster was pinned meanwhile")
            await guard.tell(guest.id, "passkeys_changed")
            await unlinking.cancel(guard, guest.id, "passkey")
            return
        roster.check_first(signed, guard.issuers.listed[0] if guard.issuers.listed else "", self.resource, found.sub)
        if not await guard.store.link(Link(guest.id, found, guard.now(), proof)):
            raise Refusal(Reason.LINK_EXISTS, guest.id)
        await guard.tell(guest.id, "linked")

    def reaching(self, others: Fetcher) -> Fetcher:
        """Give what fetches from the service without a connection."""
        return Within(others, self.resource, self.answer)

    def sign_in(self, here: str, *, fresh: bool = False) -> str | None:  # noqa: ARG002 - it is the service's own
        """Give the service's sign-in, from which a person comes back to the path `here`."""
        return self._guard.sign_in(here)

    async def answer(self, request: Request) -> Answer | None:
        """Answer for the guard's own addresses; None for any other address of the service."""
        if not request.path.startswith(endpoints.PREFIXES):
            return None
        return await endpoints.answer(self._guard, request)
