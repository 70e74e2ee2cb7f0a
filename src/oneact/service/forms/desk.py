"""The desk of held submissions: takes a form in, shows where it stands, and gives it to the application once approved.

An approval is collected, and its act executed, only within a request of the browser that submitted the form, so that
the handler runs in a request of its person, and what nobody waits for any more is never done.
"""

from __future__ import annotations

import functools
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from oneact.errors import Reason, Refusal
from oneact.protocol import dpop
from oneact.service import exchange, linking
from oneact.service.behalf import presenting
from oneact.service.behalf.asking import EARLY, Asking, Ended
from oneact.service.exchange import Answer
from oneact.service.forms import browser, pages
from oneact.service.forms.intake import HELD_PATH, LATER, Intake, led_to
from oneact.service.store.holding import Held, Holding, Submission

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oneact.service.exchange import Request
    from oneact.service.guard import GuardCore

    Again = Callable[[Submission, tuple[tuple[str, str], ...]], Awaitable[Answer]]
    Plain = Callable[[dict[str, Any]], Awaitable[Answer]]

_WAITING: Final = "wait=1"
_OWN: Final = frozenset({"oneact-receipt", "oneact-result-salt", "www-authenticate"})  # made anew, or for agents
_MAX_HEADERS: Final = 8 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Form:
    """What the owner says of one form: its action, and what becomes of an account without a passkey."""

    name: str
    unlinked: Literal["refuse", "pass"]

    def __post_init__(self) -> None:
        """Raise ValueError where it has not been chosen."""
        if self.unlinked not in {"refuse", "pass"}:
            raise ValueError(f'form {self.name}: unlinked="refuse" or unlinked="pass", not {self.unlinked!r}')


class Desk:
    """Holds the submissions of one guard; `waits` where a request may take some seconds, since no thread waits."""

    def __init__(self, guard: GuardCore, *, waits: bool) -> None:
        if not isinstance(guard.store, Holding):
            raise ValueError("store= holds no submissions of forms: it lacks what oneact.service.store.holding lists")  # noqa: TRY004 - a mistake like any other
        self._guard, self._store = guard, guard.store
        self._asking = Asking(guard, waits=waits)
        self._intake = Intake(guard, guard.store, self._asking)
        self._every = pages.AGAIN if waits else EARLY

    async def submit(self, form: Form, given: dict[str, Any], request: Request, plain: Plain) -> Answer:
        """Take in a submission whose fields, flat, are `given`; gives a page, or what `plain` gives where it passes."""
        guard = self._guard
        await guard.start()
        browser.check_origin(guard.resource, request)
        account = await guard.signed_in(request.native)
        if account is None:
            raise Refusal(Reason.SESSION_REQUIRED)
        guarded = guard.actions[form.name]
        parameters = await guard.call(functools.partial(guarded.normalise, given), "here")
        links = await guard.store.links(account.id)
        if not links and form.unlinked == "pass":
            return await plain(parameters)
        if not links:
            raise Refusal(Reason.PASSKEY_NEEDED, account.id)
        if len(request.body) > guarded.room.held:
            raise Refusal(Reason.REQUEST_TOO_LARGE, f"{len(request.body)} octets")
        headers = tuple((name, value) for name, value in request.headers if name in browser.REPLAYED)
        submission = Submission(
            form.name, parameters, request.method, request.path, request.query, headers, request.body
        )
        return await self._intake.take_in(guarded, submission, account, links[0], request, anew=False)

    async def answer(self, request: Request, again: Again) -> Answer:
        """Answer a request to a held submission's own address; `again` gives a submission to the application."""
        try:
            await self._guard.start()
            held = await self._own(request)
            if request.method == "POST":
                return await self._once_more(held, request)
            if request.method != "GET":
                return exchange.of_other_method(request, ["GET", "POST"])
            return await self._look(held, request, again)
        except Refusal as refusal:
            return self.refused(refusal, request)

    def refused(self, refusal: Refusal, request: Request) -> Answer:
        """Log a refusal, and give it as a page."""
        exchange.refused(refusal, request.method, request.path)
        way = None
        if refusal.reason is Reason.SESSION_REQUIRED:
            address = self._guard.sign_in(request.path if request.method == "GET" else "/")
            way = None if address is None else (address, "Sign in")
        elif refusal.reason is Reason.PASSKEY_NEEDED:
            way = self._guard.resource + linking.LINK_PATH, "How to get one"
        return pages.refused(linking.site(self._guard), refusal.reason, refusal.field, way)

    async def _look(self, held: Held, request: Request, again: Again) -> Answer:
        site, now = linking.site(self._guard), self._guard.now()
        if held.state == "held" and now >= held.expires:
            held = await self._intake.end(held, Ended("expired", ""))
        if held.state == "held" and not held.asked:
            held = await self._intake.ask(held)
        if held.state == "held" and held.asked and request.query == _WAITING:
            return await self._collect(held, again)
        if held.state == "held":
            return pages.waiting(site, held, now, (self._every, self._onward(held)))
        return await self._shown(held) if held.state == "done" else pages.ended(site, held)

    async def _collect(self, held: Held, again: Again) -> Answer:
        """Wait for the decision; with the token, have the act executed by the checks of any other."""
        try:
            found = await self._asking.poll(held)
        except Refusal as refusal:
            if refusal.reason not in LATER:
                raise
            found = None
        if found is None:
            onward = self._every, self._onward(held)
            return pages.waiting(linking.site(self._guard), held, self._guard.now(), onward)
        if isinstance(found, str):
            return await self._executed(held, found, again)
        spend = await self._guard.execution.find(presenting.key_of(self._guard, held))
        spent = found.state == "expired" and spend is not None
        await self._intake.end(held, Ended("done", "") if spent else found)
        return led_to(self._intake.address(held))

    async def _executed(self, held: Held, token: str, again: Again) -> Answer:
        guard, question, submission = self._guard, held.question, held.submission
        link = await guard.store.find_link(question.iss, question.sub)
        if submission is None or link is None or link.account != held.account:
            await self._intake.end(held, Ended("refused", Reason.ACCOUNT_NOT_LINKED.value))
            return led_to(self._intake.address(held))
        proof = dpop.build(
            guard.keys.signing, submission.method, guard.resource + submission.path, guard.now(),
            secrets.token_urlsafe(16), token=token,
        )  # fmt: skip
        answer = await again(submission, (("authorization", f"DPoP {token}"), ("dpop", proof)))
        spend = await guard.execution.find(presenting.key_of(self._guard, held))
        if spend is None:
            await self._intake.end(held, Ended("refused", presenting.reason_of(answer)))
            return led_to(self._intake.address(held))
        mine = any(name.lower() == "oneact-receipt" for name, _ in answer.headers)
        if not mine and spend.state != "unknown":  # another request of this browser has it run, or has had it run
            return pages.running(linking.site(guard), self._onward(held))
        await self._store.end_held(held, "done", "", _kept(answer) if mine else ())
        cookies = [pair for pair in answer.headers if mine and pair[0].lower() == "set-cookie"]
        return led_to(self._intake.address(held)).with_headers(*cookies)

    async def _shown(self, held: Held) -> Answer:
        """Show the handler's own answer, as it is kept with the spend."""
        spend = await self._guard.execution.find(presenting.key_of(self._guard, held))
        kept = None if spend is None else spend.kept
        location = next((value for name, value in held.headers if name.lower() == "location"), None)
        if kept is not None and kept.status in _REDIRECTS and location is not None:
            return led_to(location)
        if kept is None or not kept.body:
            return pages.became(linking.site(self._guard), held, "unknown" if spend is None else spend.state)
        return Answer(kept.status, kept.body, kept.content_type, (*held.headers, ("Cache-Control", "no-store")))

    async def _once_more(self, held: Held, request: Request) -> Answer:
        """Ask once more for what was executed; whatever has ended otherwise is submitted again by its own form."""
        browser.check_origin(self._guard.resource, request)
        guarded = self._guard.actions.get(held.submission.action) if held.submission is not None else None
        if held.submission is None or guarded is None:
            return led_to(self._intake.address(held))
        account = await self._guard.signed_in(request.native)
        links = [] if account is None else await self._guard.store.links(account.id)
        if account is None or not links:
            raise Refusal(Reason.PASSKEY_NEEDED, held.account)
        return await self._intake.take_in(guarded, held.submission, account, links[0], request, anew=True)

    async def _own(self, request: Request) -> Held:
        """Give the submission at an address, to the browser and the account that made it alone."""
        held = await self._store.find_held(request.path.removeprefix(HELD_PATH))
        if held is None or held.session != browser.session(self._guard.resource, request):
            raise Refusal(Reason.HELD_UNKNOWN, request.path)
        account = await self._guard.signed_in(request.native)
        if account is None:
            raise Refusal(Reason.SESSION_REQUIRED)
        if account.id != held.account:
            raise Refusal(Reason.HELD_UNKNOWN, "another account is signed in")
        return held

    def _onward(self, held: Held) -> str:
        return f"{self._intake.address(held)}?{_WAITING}"


def _kept(answer: Answer) -> tuple[tuple[str, str], ...]:
    """Give the handler's own header fields, of which 8 KiB are kept; cookies go out once, with the first answer."""
    own = tuple(pair for pair in answer.headers if pair[0].lower() not in _OWN | {"set-cookie", "content-length"})
    return own if sum(len(name) + len(value) for name, value in own) <= _MAX_HEADERS else ()
