"""The pages that clients before 2026-07-28 are asked to open for their users, and the word that a page is over.

A client is asked once for a held call, whichever call brings it up. When the call has its end, or is withdrawn, that
client is told, once, on the session in which it was asked: `notifications/elicitation/complete`.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.service.mcp import answers

if TYPE_CHECKING:
    from oneact.service.behalf.calls import Calls
    from oneact.service.behalf.standing import Standing
    from oneact.service.mcp.calling import Call

NOT_OPENED: Final = frozenset({"decline", "cancel"})
_FIRST: Final = 1.0  # seconds for which the answer to a call lets the word of its page go first
_LOG: Final = logging.getLogger("oneact.service")


@dataclass(slots=True)
class _Page:
    """A page that the client of `call` was asked to open; `here` while that call is not answered yet."""

    call: Call
    expires: int
    opening: asyncio.Task[str]
    telling: asyncio.Task[None] | None = None
    here: bool = True


class Pages:
    """The pages of one guard's held calls."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._asked: dict[str, _Page] = {}

    def open(self, standing: Standing, call: Call, now: int) -> asyncio.Task[str] | None:
        """Have an older client open the page for its user, once for each held call; what it did comes as the result."""
        self._asked = {name: page for name, page in self._asked.items() if page.expires > now}
        if not call.opens or call.modern or not standing.page or standing.id in self._asked:
            return None
        message, url = answers.opening(standing)
        loop = asyncio.get_running_loop()
        page = _Page(call, standing.expires, loop.create_task(_opened(call, message, url, standing.id)))
        self._asked[standing.id] = page
        page.telling = loop.create_task(self._tell(standing.id, page))
        return page.opening

    def are_left(self, standing: Standing) -> bool:
        """Tell whether the page of a held call has been opened by no client yet."""
        return bool(standing.page) and standing.id not in self._asked

    async def told(self, identifier: str, call: Call) -> None:
        """Let the client of a call hear that the page is over before that call is answered."""
        page = self._asked.get(identifier)
        if page is not None and page.call is call and page.telling is not None:
            await asyncio.wait({page.telling}, timeout=_FIRST)

    def left(self, identifier: str, call: Call) -> None:
        """Take note that a call is answered, or cancelled."""
        page = self._asked.get(identifier)
        if page is not None and page.call is call:
            page.here = False

    async def close(self) -> None:
        """Tell nobody any more."""
        telling = [page.telling for page in self._asked.values() if page.telling is not None]
        for task in telling:
            task.cancel()
        await asyncio.gather(*telling, return_exceptions=True)

    async def _tell(self, identifier: str, page: _Page) -> None:
        if not await self._calls.over(identifier) or _took_no_part(page.opening):
            return
        try:
            await page.call.page_done(identifier, page.here)
        except Exception as error:  # noqa: BLE001 - the client is gone, and nobody else is to be told
            _LOG.info("the client was not told of its page: %s", type(error).__name__)


async def _opened(call: Call, message: str, page: str, identifier: str) -> str:
    try:
        return await call.open_page(message, page, identifier)
    except Exception as error:  # noqa: BLE001 - the page is found without the client's help, too
        _LOG.info("the client did not open the page: %s", type(error).__name__)
        return ""


def was_declined(opening: asyncio.Task[str]) -> bool:
    """Tell whether the client's user did not open the page."""
    return not opening.cancelled() and opening.result() in NOT_OPENED


def _took_no_part(opening: asyncio.Task[str]) -> bool:
    return opening.done() and (opening.cancelled() or opening.result() != "accept")
