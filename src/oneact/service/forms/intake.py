"""Taking a submission in: what is held of it, and how its person is asked for it."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.service import linking
from oneact.service.behalf import questions
from oneact.service.behalf.asking import Asked, Asking, Ended
from oneact.service.exchange import Answer
from oneact.service.forms import browser, pages
from oneact.service.store import holding
from oneact.service.store.holding import Held

if TYPE_CHECKING:
    from oneact.service.act import LocalAccount
    from oneact.service.exchange import Request
    from oneact.service.guard import GuardCore
    from oneact.service.guarded import Guarded
    from oneact.service.store.contract import Link
    from oneact.service.store.holding import Holding, Submission

HELD_PATH: Final = "/oneact/held/"
OF_ACCOUNT: Final = 10
IN_ALL: Final = 1000
LATER: Final = frozenset({Reason.METADATA_UNREACHABLE, Reason.RATE_LIMITED, Reason.STORE_UNAVAILABLE})


class Intake:
    """Holds the submissions of one guard in `store`, and asks for each."""

    def __init__(self, guard: GuardCore, store: Holding, asking: Asking) -> None:
        self._guard, self._store, self._asking = guard, store, asking

    async def take_in(
        self,
        guarded: Guarded,
        submission: Submission,
        account: LocalAccount,
        link: Link,
        request: Request,
        *,
        anew: bool,
    ) -> Answer:
        """Hold a submission and ask for it, or lead to the one that stands or was executed."""
        resource = self._guard.resource
        secret = browser.secret(resource, request, account.id, self._guard.keys.txn_keys[0])
        held = await self._made(guarded, submission, account, link, browser.digest(secret))
        before = None if anew else await self._store.done_before(held)
        if before is not None:
            return pages.done_before(linking.site(self._guard), before, self.address(before))
        found = await self._store.hold(held, OF_ACCOUNT, IN_ALL)
        if not found.asked:
            await self.ask(found)
        return led_to(self.address(found)).with_headers(browser.cookie(resource, secret))

    async def _made(
        self, guarded: Guarded, submission: Submission, account: LocalAccount, link: Link, session: str
    ) -> Held:
        question, ends = await questions.make(self._guard, guarded, submission.parameters, link)
        same = holding.same(guarded.action.digest, submission.parameters)
        identifier = secrets.token_urlsafe(16)
        return Held(identifier, session, account.id, same, submission, question, self._guard.now(), ends)

    async def ask(self, held: Held) -> Held:
        """Ask for a held submission; where the approval server cannot be reached, the next look tries again."""
        try:
            found = await self._asking.ask(held)
        except Refusal as refusal:
            if refusal.reason not in LATER:
                raise
            return held
        if isinstance(found, Asked):
            await self._store.asked(held.id, found.request, found.page)
            return replace(held, asked=found.request, page=found.page)
        return await self.end(held, found)

    async def end(self, held: Held, end: Ended) -> Held:
        """Record the end of a submission, and give it so."""
        await self._store.end_held(held, end.state, end.said)
        return replace(held, state=end.state, said=end.said)

    def address(self, held: Held) -> str:
        """Give where a submission waits, and its end is shown."""
        return f"{self._guard.resource}{HELD_PATH}{held.id}"


def led_to(address: str) -> Answer:
    """Lead a browser to an address, once."""
    return Answer(303, headers=(("Location", address), ("Cache-Control", "no-store")))
