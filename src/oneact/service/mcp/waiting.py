"""The way of a program without a key: its call is held, its person decides, and it waits, comes back or is told later.

One wait lasts 50 seconds at most, since clients give up after 60. What the client retries attaches to what is held:
there is never a second request to the person for one call, and never a second execution.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service import linking
from oneact.service.behalf.calls import Calls
from oneact.service.exchange import Request
from oneact.service.mcp import answers, pages, states
from oneact.service.mcp.pages import Pages
from oneact.service.mcp.tasking import Tasking
from oneact.service.store import holding

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from oneact.service.behalf.standing import Standing
    from oneact.service.mcp.answers import Result
    from oneact.service.mcp.calling import Call
    from oneact.service.mcp.entry import Entry
    from oneact.service.mcp.guard import Guard
    from oneact.service.mcp.tasking import Making

LONGEST: Final = 50.0
SURE: Final = 55.0
ROUNDS: Final = 5  # in which a client of 2026-07-28 comes back by itself; clients stop after ten
BEAT: Final = 5.0
_SHOWN: Final = "The server has shown its person the address at which they link one, in its window or its log."
_SAYS: Final = "Waiting for a person's approval"


class Waiting:
    """Holds the calls of one guard's tools; a wait lasts `longest` seconds, within `sure` a client is still there.

    Every `beat` seconds the client is told that it is waited for.
    """

    def __init__(self, guard: Guard) -> None:
        self.calls = Calls(guard)
        self.longest, self.sure, self.beat = LONGEST, SURE, BEAT
        self._guard = guard
        self._pages = Pages(self.calls)
        self._left: set[asyncio.Task[None]] = set()
        self.tasks = Tasking(self)

    async def answer(self, entry: Entry, call: Call) -> Result:
        """Hold a call, or go on with the one that stands, and give what there is to say of it."""
        began, given = time.monotonic(), entry.given(call.arguments)
        session = await self.session(call)
        if session is None:
            return self._unlinked()
        bound = states.bound(session[1], call.tool, given)
        try:
            standing, rounds = await self._standing(entry, given, session, bound, call)
        except Refusal as refusal:
            if refusal.reason is not Reason.PASSKEY_NEEDED:
                raise
            return self._unlinked()
        comes_back = call.modern and call.opens and bool(standing.page) and rounds < ROUNDS
        longest = 0.0 if comes_back and rounds == 0 else self.longest
        found = await self._decided(standing, session[1], call, began + longest)
        if found is not None and found.state == "held" and comes_back:
            state = states.seal(self._guard.keys.txn_keys[0], found.id, rounds + 1, bound)
            return answers.asked_for_input(found, state, opens=rounds == 0)
        return await self.told(found, standing.id, session[1], call, began)

    async def made(self, entry: Entry, call: Call, making: Making) -> Result:
        """Hold a call that its client makes as a task, and put it there; else give what there is to say against it."""
        session = await self.session(call)
        if session is None:
            return self._unlinked()
        try:
            making.found = await self.calls.begin(entry.guarded, entry.given(call.arguments), *session)
        except Refusal as refusal:
            if refusal.reason is not Reason.PASSKEY_NEEDED:
                raise
            return self._unlinked()
        self.tasks.keep(making.found, self._guard.now())
        return answers.pending(making.found)

    async def ended(self, standing: Standing, session: str, call: Call) -> Standing | None:
        """Wait for the end of a held call, however long it may be held; None where its page was not opened."""
        return await self._decided(standing, session, call, time.monotonic() + holding.KEPT)

    def may_open(self, standing: Standing, call: Call) -> bool:
        """Tell whether a client is still to be asked to open the page of a held call."""
        return call.opens and not call.modern and self._pages.are_left(standing)

    async def wait(self, call: Call) -> Result:
        """Wait on for a held call by its id, as the tool `oneact_wait` does; refuses `held_unknown`."""
        began, identifier = time.monotonic(), call.arguments.get("id")
        if not isinstance(identifier, str) or call.arguments.keys() != {"id"}:
            raise Refusal(Reason.PARAMETERS_INVALID, "not exactly a text id", "id")
        session = await self.session(call)
        if session is None:
            raise Refusal(Reason.HELD_UNKNOWN, "nobody is signed in")
        standing = await self.calls.wait(identifier, session[1], 0)
        found = await self._decided(standing, session[1], call, began + self.longest)
        return await self.told(found, identifier, session[1], call, began)

    async def leave(self, seconds: float) -> None:
        """Withdraw whatever is held, since its program goes with this server; that may take so many seconds."""
        await self.calls.leave(None, seconds)

    async def close(self) -> None:
        """Stop following what is held."""
        await asyncio.gather(*self._left, return_exceptions=True)
        await self._pages.close()
        await self.calls.close()

    def _unlinked(self) -> Result:
        """Lead to the link page; the one person of a server over stdio is shown the way past this program."""
        return answers.unlinked(self._guard.resource + linking.LINK_PATH, _SHOWN if self._guard.invite() else "")

    async def session(self, call: Call) -> tuple[str, str] | None:
        """Give the account, and what tells one program from another: the account and whom the host's sign-in names.

        A client that connects anew is the same program: the number of its connection says nothing.
        """
        account = await self._guard.signed_in(call.request or Request("POST", "/", "", (), b"", ""))
        if account is None:
            return None
        return account.id, canonical.digest([account.id, call.principal])

    async def _standing(
        self, entry: Entry, given: dict[str, Any], session: tuple[str, str], bound: bytes, call: Call
    ) -> tuple[Standing, int]:
        """Give where a call stands, and in which round it is waited for; a client that comes back begins nothing."""
        if call.state is None:
            return await self.calls.begin(entry.guarded, given, *session), 0
        identifier, rounds = states.unseal(self._guard.keys.txn_keys, call.state, bound)
        return await self.calls.wait(identifier, session[1], 0), rounds

    async def _decided(self, standing: Standing, session: str, call: Call, until: float) -> Standing | None:
        """Wait for the end of a held call until that moment; None where the person does not open its page."""
        if standing.state != "held":
            return standing
        if call.opened in pages.NOT_OPENED:
            return None
        left = until - time.monotonic()
        if left <= 0:
            return standing
        waiting = asyncio.ensure_future(self.calls.wait(standing.id, session, left))
        opening = self._pages.open(standing, call, self._guard.now())
        try:
            while not waiting.done():
                asked: set[asyncio.Future[Any]] = {waiting} if opening is None or opening.done() else {waiting, opening}
                await asyncio.wait(asked, timeout=self.beat, return_when=asyncio.FIRST_COMPLETED)
                if opening is not None and opening.done() and pages.was_declined(opening):
                    return None
                if not waiting.done():
                    await call.progress(self.longest - (until - time.monotonic()), self.longest, _SAYS)
            if waiting.result().state != "held":
                await self._pages.told(standing.id, call)
            return waiting.result()
        except asyncio.CancelledError:
            self._later(self._left_waiting(waiting, standing.id, session))
            raise
        finally:
            self._pages.left(standing.id, call)
            waiting.cancel()
            if opening is not None:
                opening.cancel()

    async def _left_waiting(self, waiting: asyncio.Future[Standing], identifier: str, session: str) -> None:
        await asyncio.wait({waiting})
        await self.calls.cancel(identifier, session)

    def _later(self, work: Coroutine[object, object, None]) -> None:
        """Do what a client's going leaves to be done, in a task that is not being cancelled with it."""
        task = asyncio.get_running_loop().create_task(work)
        self._left.add(task)
        task.add_done_callback(self._left.discard)

    async def told(self, standing: Standing | None, identifier: str, session: str, call: Call, began: float) -> Result:
        """Tell the end; it counts as delivered where the client is sure to be there still."""
        if standing is None:
            await self.calls.cancel(identifier, session)
            return answers.declined()
        in_time = time.monotonic() - began < self.sure
        if standing.state != "held" and in_time and not await call.is_gone():
            await self.calls.delivered(identifier, session)
        return answers.of_standing(standing)
