"""One proxied server as a service of its own: its guard, its held calls, and what it tells its person."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
import webbrowser
from typing import TYPE_CHECKING, Final

import uvicorn

from oneact.gateway.mcp import door as doors
from oneact.gateway.mcp import places, unlinking
from oneact.gateway.mcp.pins import Pins
from oneact.gateway.mcp.tools import Tools
from oneact.service.asgi import Guard
from oneact.service.behalf.calls import Calls

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from oneact.gateway.mcp.door import Door
    from oneact.gateway.mcp.messages import Message
    from oneact.gateway.mcp.policy import Policy

_AGAIN: Final = 600  # seconds before the start page is opened in a browser once more
_LAST: Final = 1.5  # seconds for the last receipts: clients kill what has not ended about four after they leave
_STOP: Final = 5.0


class Proxy:
    """What all clients of one proxied server share.

    `name` is the server's own, `folder` where its pins are, `place` what this process alone uses of it, under a lock
    that no other living one holds. `issuer` is the approval server. `opens` tells whether a browser is opened.
    """

    KEPT: Final = 100  # answers of the server, and calls that it wants input for, as they came

    def __init__(  # noqa: PLR0913 - the parts of one proxy, each by its name
        self,
        policy: Policy,
        *,
        name: str,
        folder: Path,
        place: Path,
        door: Door,
        issuer: str,
        private_hosts: tuple[str, ...] = (),
        opens: bool = False,
        now: Callable[[], int] = lambda: int(time.time()),
    ) -> None:
        self.policy, self.name, self.issuer = policy, name, issuer
        self.place, self._door, self._opens, self._now = place, door, opens, now
        self.guard = Guard(
            resource=door.resource,
            name=f"{policy.name or name} (tools)"[:80],
            key=place / "service.jwk",
            store=place / "service.db",
            account=door.account,
            issuers=[issuer],
            private_hosts=private_hosts,
            now=now,
        )
        self.guard.unlink_command = unlinking.command(folder)
        door.guard, door.told = self.guard, self._keep_start
        self.calls = Calls(self.guard)
        self.pins = Pins(folder)
        self.tools = Tools(policy, self.pins, self.guard)
        self._kept: dict[str, Message] = {}
        self._shown: dict[str, None] = {}
        self._begun, self._trouble = asyncio.Event(), ""
        self._page = ""  # the last that was opened
        self._opened = -_AGAIN  # when the start page was last opened

    @contextlib.asynccontextmanager
    async def running(self, listening: socket.socket) -> AsyncIterator[None]:
        """Serve the proxy's own addresses for as long."""
        server = doors.Server(uvicorn.Config(self._door, **doors.SERVING))
        serving = asyncio.get_running_loop().create_task(server.serve(sockets=[listening]))
        places.write(self.place / places.START, b"")  # what a proxy before this one has left leads nowhere
        try:
            await self.guard.start()
            await self.guard.execution.abandon()  # who holds the lock of the place is alone with its store
            yield
        finally:
            (self.place / places.START).unlink(missing_ok=True)
            await self.calls.close()
            await self.guard.flush(_LAST)  # while the keys that receipts are checked with are still served
            server.should_exit = True
            stopping = asyncio.get_running_loop().create_task(self._stop(serving))
            await asyncio.wait({stopping}, timeout=_STOP)

    async def _stop(self, serving: asyncio.Task[None]) -> None:
        await serving
        await self.guard.stop()

    async def is_linked(self) -> bool:
        """Tell whether a passkey is linked."""
        return bool(await self.guard.store.links(doors.ACCOUNT))

    async def begin(self, trouble: str = "") -> None:
        """Lead the person to the start page, where no passkey is linked yet, unless there is some `trouble`."""
        self._trouble = trouble
        self._begun.set()
        await self._keep_start()
        if trouble:
            self.say(trouble)
        if trouble or await self.is_linked():
            return
        link = self._door.start_link()
        self.say(f"to put these tools behind your passkey, open {link}")
        marked = self.place / "opened"
        recent = marked.exists() and self._now() - int(marked.stat().st_mtime) < _AGAIN
        if not recent and await self._open_start(link):
            marked.touch(mode=0o600)

    async def begun(self) -> str:
        """Wait until it is known whose the approval server is; gives what is in the way of linking, if anything is."""
        await self._begun.wait()
        return self._trouble

    async def show_start(self) -> None:
        """Lead the person to where they begin; whoever opens that address becomes the person, so no program is told."""
        await self._keep_start()
        link = self._door.start_link()
        self.say(f"a tool was called, and no passkey is linked yet: open {link}")
        await self._open_start(link)

    async def _keep_start(self) -> None:
        """Keep the address where `oneact mcp start` finds it, while a passkey can be linked and none is."""
        if not self._begun.is_set():
            return
        if self._trouble or await self.is_linked():
            (self.place / places.START).unlink(missing_ok=True)
        else:
            places.write(self.place / places.START, self._door.start_link().encode())

    def show(self, held: str, page: str, tool: str) -> bool:
        """Say where a call is approved; False where that has been said before."""
        if held in self._shown or not page:
            return False
        self._shown[held] = None
        while len(self._shown) > self.KEPT:
            self._shown.pop(next(iter(self._shown)))
        self.say(f"the call of {tool!a} needs your approval: {page}")
        return True

    async def open(self, page: str) -> None:
        """Open a page in a browser, where that is wanted; calls that come at once have one page, opened once."""
        if self._opens and page != self._page:
            self._page = page
            await asyncio.to_thread(webbrowser.open, page)

    async def _open_start(self, link: str) -> bool:
        """Open the start page, once in a while; False where that is not wanted, or no browser has taken it."""
        if self._opens and self._now() - self._opened >= _AGAIN and await asyncio.to_thread(webbrowser.open, link):
            self._opened = self._now()
        return self._now() - self._opened < _AGAIN

    def keep(self, txn: str, answer: Message) -> None:
        """Keep the server's answer to an approved call as it came."""
        self._kept[txn] = answer
        while len(self._kept) > self.KEPT:
            self._kept.pop(next(iter(self._kept)))

    def kept(self, txn: str) -> Message | None:
        """Give the server's answer to an approved call; None where it is kept no longer."""
        return self._kept.get(txn)

    def say(self, text: str) -> None:
        """Say it in the person's own terminal, or in what their client keeps of standard error."""
        sys.stderr.write(f"oneact: {text}\n")
        sys.stderr.flush()
