"""Unlinking without a passkey: a fresh sign-in asks, 72 hours pass under notice, a second fresh sign-in completes it.

A session alone could be an agent's. So the wait counts from the first notice that went out, is told again every day,
and ends at once where a pinned passkey shows itself or anyone signed in says so. It never completes by itself: time
alone proves nothing, and an account unlinked while nobody is there would belong to whoever links it first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.service import browser, exchange, unlink_page
from oneact.service.exchange import Answer
from oneact.service.link_page import Site

if TYPE_CHECKING:
    from oneact.service.act import LocalAccount
    from oneact.service.exchange import Request
    from oneact.service.guard import GuardCore
    from oneact.service.store.contract import Unlinking

UNLINK_PATH: Final = "/oneact/unlink"
WAIT: Final = 72 * 3600
_OPEN: Final = 7 * 24 * 3600  # seconds after the wait in which it can be completed
_DAY: Final = 24 * 3600  # between two notices, and from a cancellation to the next wait
_RETRY: Final = 60


async def page(guard: GuardCore, request: Request) -> Answer:
    """Show what the account can do: ask, cancel, or complete."""
    _check_offered(guard, request)
    account = await guard.signed_in(request.native)
    if account is None:
        way = guard.sign_in(UNLINK_PATH)
        if way is not None:
            return Answer(303, headers=(("Location", way), ("Cache-Control", "no-store")))
        raise Refusal(Reason.SESSION_REQUIRED)
    session = browser.session_of(guard, request)
    return browser.with_session(guard, exchange.of_page(await _shown(guard, account, session)), session)


async def act(guard: GuardCore, request: Request) -> Answer:
    """Ask, cancel or complete, as the form's `do` says."""
    _check_offered(guard, request)
    session, account = await browser.person(guard, request)
    wanted = browser.check_form(guard, request, session).get("do")
    if wanted == "cancel":
        await cancel(guard, account.id, "session")
    elif wanted == "ask":
        browser.check_fresh(guard, account)
        await _ask(guard, account)
    elif wanted == "complete":
        browser.check_fresh(guard, account)
        await _complete(guard, account)
    else:
        raise Refusal(Reason.REQUEST_MALFORMED, f"do={wanted!r}")
    return exchange.of_page(await _shown(guard, account, session))


async def cancel(guard: GuardCore, account: str, by: str) -> None:
    """End the wait of an account, if one runs: by a `passkey` that showed itself, or from a `session`."""
    if await guard.store.cancel_unlinking(account, by, guard.now()):
        await guard.tell(account, "unlink_cancelled")


async def remind(guard: GuardCore) -> None:
    """Tell every account whose notice is due; what could not be told is due again in a minute."""
    now = guard.now()
    for account in await guard.store.claim_unlinkings(now, now - WAIT - _OPEN, now + _RETRY):
        if await guard.tell(account, "unlink_started"):
            await guard.store.told_unlinking(account, now, now + _DAY)


async def ends(guard: GuardCore, account: str) -> int | None:
    """Give the second from which a wait can be completed; None where none runs."""
    found = await _running(guard, account)
    if found is None:
        return None
    return (guard.now() if found.told_at is None else found.told_at) + WAIT


async def _ask(guard: GuardCore, account: LocalAccount) -> None:
    now = guard.now()
    if not await guard.store.start_unlinking(account.id, now, now - _DAY, now - WAIT - _OPEN):
        raise Refusal(Reason.UNLINK_WAIT, "no link, a wait that runs, or one cancelled within a day")
    await remind(guard)


async def _complete(guard: GuardCore, account: LocalAccount) -> None:
    now = guard.now()
    if not await guard.store.finish_unlinking(account.id, now, now - WAIT, now - WAIT - _OPEN):
        raise Refusal(Reason.UNLINK_WAIT, "no wait of this account is over")
    await guard.tell(account.id, "unlinked")


async def _shown(guard: GuardCore, account: LocalAccount, session: str) -> str:
    site = Site(guard.name, guard.resource + "/")
    links = await guard.store.links(account.id)
    at = await ends(guard, account.id)
    way = None if browser.is_fresh(guard, account) else (guard.sign_in(UNLINK_PATH) or "")
    form = unlink_page.Form(guard.resource + UNLINK_PATH, browser.csrf(session), way)
    if not links:
        return unlink_page.unlinked(site, guard.resource + "/oneact/link")
    if at is None:
        return unlink_page.ask(site, account.label, [link.roster.iss for link in links], form)
    return unlink_page.waiting(site, account.label, at, form, is_over=guard.now() >= at)


async def _running(guard: GuardCore, account: str) -> Unlinking | None:
    found = await guard.store.unlinking(account)
    if found is not None and found.told_at is not None and found.told_at <= guard.now() - WAIT - _OPEN:
        return None
    return found


def _check_offered(guard: GuardCore, request: Request) -> None:
    """Refuse `address_unknown` where the owner takes no notices: without them nobody would hear of a wait."""
    if not guard.tells_later:
        raise Refusal(Reason.ADDRESS_UNKNOWN, f"{request.path} needs notify=")
