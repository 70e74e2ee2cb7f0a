"""Held calls: what a program without a key wants done waits here for its person, and is done once approved.

The service polls by itself, so a call is executed when its person approves it, whether or not its program asks at that
moment; the outcome is kept until it has reached the program. The same call again is this one for as long.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service.behalf import presenting, questions
from oneact.service.behalf.asking import Asking
from oneact.service.behalf.following import Followed
from oneact.service.behalf.gathering import Gathering
from oneact.service.behalf.standing import Standing
from oneact.service.exchange import Answer
from oneact.service.store import holding
from oneact.service.store.holding import DELIVERED, KEPT, Held, Holding, Submission

if TYPE_CHECKING:
    from oneact.service.guard import GuardCore
    from oneact.service.guarded import Guarded

    Key = tuple[str, str, str]

OF_ACCOUNT: Final = 20
IN_ALL: Final = 1000


class Calls:
    """Holds the calls of one guard, whose store has to be a `Holding`; raises ValueError for another.

    A session is whatever tells one program from another: only the session that made a call sees what became of it.
    """

    def __init__(self, guard: GuardCore) -> None:
        if not isinstance(guard.store, Holding):
            raise ValueError("store= holds no calls: it lacks what oneact.service.store.holding lists")  # noqa: TRY004 - a mistake like any other
        self._guard, self._store = guard, guard.store
        self._gathering = Gathering(Asking(guard, waits=True))
        self._followed: dict[str, Followed] = {}
        self._beginning: dict[asyncio.Task[Standing], str] = {}
        self._given_up: set[asyncio.Task[None]] = set()

    async def begin(self, guarded: Guarded, given: dict[str, Any], account: str, session: str) -> Standing:
        """Hold a call whose parameters, flat, are `given`, and ask; or attach to the same call of this session.

        The task that follows it has the context variables of whoever began it. Refuses `passkey_needed` for an account
        without a link, `rate_limited` where too many are held, and what schema, terms and display of the action refuse.
        Where whoever began it is cancelled meanwhile, it is begun all the same, and then given up.
        """
        loop = asyncio.get_running_loop()
        beginning = loop.create_task(self._begun(guarded, given, account, session))
        self._beginning[beginning] = _digest(session)
        beginning.add_done_callback(self._beginning.pop)
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            task = loop.create_task(self._give_up(beginning, session))
            self._given_up.add(task)
            task.add_done_callback(self._given_up.discard)
            raise

    async def _begun(self, guarded: Guarded, given: dict[str, Any], account: str, session: str) -> Standing:
        guard = self._guard
        await guard.start()
        self._forget()
        parameters = await guard.call(functools.partial(guarded.normalise, given), "here")
        key = _digest(session), account, holding.same(guarded.action.digest, parameters)
        ended = next((found for found in self._followed.values() if _key(found.held) == key), None)
        if ended is not None:
            await ended.attach()
            return await self._told(ended.held)
        held = await self._made(guarded, parameters, key)
        before = await self._store.done_before(held)
        if before is None or before.said == DELIVERED:
            before = await self._attached(await self._store.hold(held, OF_ACCOUNT, IN_ALL))
        return await self._told(before)

    async def _give_up(self, beginning: asyncio.Task[Standing], session: str) -> None:
        with contextlib.suppress(Refusal, asyncio.CancelledError):
            await self.cancel((await beginning).id, session)

    async def wait(self, identifier: str, session: str, seconds: float) -> Standing:
        """Give where a call stands as soon as it has an end, or after so many seconds.

        Refuses `held_unknown` for a call of another session, or one that is kept no longer.
        """
        held = await self._attached(await self._own(identifier, session))
        if held.state == "held":
            followed = self._followed[held.id]
            await followed.ended(seconds)
            held = followed.held
        return await self._told(held)

    async def delivered(self, identifier: str, session: str) -> None:
        """Take note that the end of a call has reached its program: the same call again is another one."""
        held = await self._own(identifier, session)
        if held.state != "held":
            self._followed.pop(held.id, None)
            await self._store.told_held(held.id)

    async def look(self, identifier: str, session: str) -> Standing:
        """Give where a call stands, as nobody who waits for it; refuses `held_unknown` as `wait` does."""
        return await self._told(await self._own(identifier, session))

    def keep(self, identifier: str) -> None:
        """Count one more that waits for a call, until `leave_to_others`."""
        if identifier in self._followed:
            self._followed[identifier].waiters += 1

    def leave_to_others(self, identifier: str) -> None:
        """Count one less that waits for a call; by itself that withdraws nothing."""
        if identifier in self._followed:
            self._followed[identifier].waiters -= 1

    async def cancel(self, identifier: str, session: str, grace: float | None = None) -> bool:
        """Take note that its program waits no longer: unless the same call comes again soon, it is withdrawn.

        A program says so when its own time is over as when its user stops it, and in the first case asks again. While
        another one of its calls, the same, waits for it, it is not withdrawn: then False. `grace` is in seconds.
        """
        followed = self._followed.get((await self._own(identifier, session)).id)
        if followed is not None and not followed.waiters:
            followed.give_up(*(() if grace is None else (grace,)))
        return followed is not None and not followed.waiters

    async def leave(self, session: str | None, seconds: float = 0.0) -> None:
        """Withdraw every call of a session whose program is gone, or of all; what is being executed is executed.

        That needs a moment, which is waited for, so many `seconds` at most.
        """
        until = time.monotonic() + seconds
        begun = [task for task, digest in self._beginning.items() if session is None or digest == _digest(session)]
        if begun:
            await asyncio.wait(begun, timeout=seconds)
        mine = [found for found in self._followed.values() if session is None or found.held.session == _digest(session)]
        for followed in mine:
            followed.give_up(0.0)
        left = max(0.0, until - time.monotonic())
        await asyncio.gather(*(followed.left(left) for followed in mine if seconds))

    async def over(self, identifier: str) -> bool:
        """Wait until a call that is followed here has its end, as nobody who waits for it; False where it gets none."""
        followed = self._followed.get(identifier)
        return followed is not None and await followed.over()

    async def close(self) -> None:
        """Stop following; what is held can be taken up again, also by another process."""
        unfinished = [*self._beginning, *self._given_up]
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        await asyncio.gather(*(followed.stop() for followed in self._followed.values()))
        self._followed.clear()

    async def _made(self, guarded: Guarded, parameters: dict[str, Any], key: Key) -> Held:
        links = await self._guard.store.links(key[1])
        if not links:
            raise Refusal(Reason.PASSKEY_NEEDED, key[1])
        question, expires = await questions.make(self._guard, guarded, parameters, links[0])
        action = guarded.action
        submission = Submission(action.name, parameters, action.method, action.path, "", (), b"")
        return Held(secrets.token_urlsafe(16), *key, submission, question, self._guard.now(), expires)

    async def _attached(self, held: Held) -> Held:
        """Ask for a call that is held, and follow it from now on."""
        if held.state != "held":
            return held
        new = Followed(self._guard, self._store, self._gathering, held)
        followed = self._followed.setdefault(held.id, new)
        await followed.attach()
        return followed.held

    async def _own(self, identifier: str, session: str) -> Held:
        followed = self._followed.get(identifier)
        held = followed.held if followed is not None else await self._store.find_held(identifier)
        if held is None or held.session != _digest(session):
            raise Refusal(Reason.HELD_UNKNOWN, identifier)
        return held

    async def _told(self, held: Held) -> Standing:
        followed = self._followed.get(held.id)
        answer, receipt = None if followed is None else followed.answer, ""
        if held.state == "done":
            spend = await self._guard.execution.find(presenting.key_of(self._guard, held))
            receipt = "" if spend is None else spend.receipt or ""
            kept = None if spend is None else spend.kept
            if answer is None and kept is not None and kept.body is not None:
                answer = Answer(kept.status, kept.body, kept.content_type, (("OneAct-Receipt", receipt),))
        said = "" if held.state == "done" else held.said
        return Standing(held.id, held.state, held.page, held.expires, said, answer, receipt, held.created)

    def _forget(self) -> None:
        """Forget the ends that nobody has come for."""
        before = self._guard.now() - KEPT
        for identifier in [name for name, found in self._followed.items() if found.held.expires < before]:
            del self._followed[identifier]


def _key(held: Held) -> Key:
    return held.session, held.account, held.same


def _digest(session: str) -> str:
    return canonical.sha256(b"call\n" + session.encode())
