"""The read sessions that an agent has open, and what it reads by them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from oneact.agent import flow
from oneact.agent.errors import Refused, as_refused
from oneact.agent.result import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oneact.agent.client import Shell
    from oneact.protocol.canonical import Json

_OVER: Final = frozenset({"read_ended", "grant_unknown", "read_changed", "account_not_linked"})


class Reads:
    """Opens sessions, one at a time at each service, and reads by those that are open."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.sessions: list[flow.Session] = []
        self._opening: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def read(
        self, service: str, names: Sequence[str], parameters: dict[str, Json], seconds: int, asker: flow.Asker
    ) -> Result:
        """Read the first of `names` once; where no session over it is open, ask the person to open one over all."""
        async with self._opening[service]:  # of two that read at once, one asks
            session = self._found(service, names[0]) or await self._opened(service, names, seconds, asker)
        try:
            with as_refused():
                going = flow.fetch(session, names[0], parameters, asker, self._shell.now())
                held, answer = await self._shell.run(going)
        except Refused as refused:
            if refused.reason in _OVER and session in self.sessions:
                self.sessions.remove(session)
            raise
        if session in self.sessions:
            self.sessions[self.sessions.index(session)] = held
        return Result(answer.status, answer.headers.get("content-type", ""), answer.body, None, "")

    async def _opened(self, service: str, names: Sequence[str], seconds: int, asker: flow.Asker) -> flow.Session:
        """Have a session opened and wait for the person; one that is open at the server is taken up again."""
        with as_refused():
            described, _ = await self._shell.run(flow.discover(service))
            going = flow.open_session(asker, described, tuple(dict.fromkeys(names)), seconds)
            session = await self._shell.run(flow.linkable(described, going))
        self.sessions.append(session)
        return session

    def _found(self, service: str, name: str) -> flow.Session | None:
        return next((found for found in self.sessions if found.resource == service and name in found.reads), None)
