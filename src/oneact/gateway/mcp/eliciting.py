"""The approval page, opened by the client: URL elicitation, as each revision of the protocol does it.

That the client accepts says that the link was opened, and nothing else.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.gateway.mcp.messages import MODERN, Message, notification, request
from oneact.service.mcp import answers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oneact.service.behalf.standing import Standing

ROUNDS: Final = 8  # answers that want the call repeated; clients give up after ten
_SINCE: Final = "2025-11-25"
_OURS: Final = "oneact."
_KEY: Final = "approval"
_MOST: Final = 1000


class State(NamedTuple):
    """How often a call was repeated as it was asked to be, and whether the client's user declined."""

    round: int
    declined: bool


def able(capabilities: Message, revision: str) -> bool:
    """Tell whether a client can open an address for its user."""
    found = capabilities.get("elicitation")
    return isinstance(found, dict) and isinstance(found.get("url"), dict) and (revision == _SINCE or revision in MODERN)


def read(params: Message) -> State:
    """Read from a call how often it was repeated; one that was not asked to be has been repeated never."""
    state, inputs = params.get("requestState"), params.get("inputResponses")
    if not isinstance(state, str) or not state.startswith(_OURS):
        return State(0, declined=False)
    count = state.removeprefix(_OURS).partition(".")[0]
    said = inputs.get(_KEY) if isinstance(inputs, dict) else None
    refused = isinstance(said, dict) and said.get("action") in {"decline", "cancel"}
    return State(int(count) if count in map(str, range(1, ROUNDS + 1)) else ROUNDS, declined=refused)


def wanted(standing: Standing, number: int) -> Message:
    """Give the result that has the client open the page, the first time, and repeat the call.

    The state in it says how often, nothing that anyone could use: a call is known by its session and arguments.
    """
    return answers.asked_for_input(standing, f"{_OURS}{number}.{standing.id[:6]}", opens=number == 1)


class Eliciting:
    """The requests to one client of the revision in which a server calls its client.

    `ended` waits for the end of a held call, and tells whether it has come to one.
    """

    def __init__(self, send: Callable[[Message], Awaitable[bool]], ended: Callable[[str], Awaitable[bool]]) -> None:
        self._send, self._ended = send, ended
        self._prefix = f"oneact-{secrets.token_hex(8)}-"
        self.asked: dict[str, str] = {}  # held calls by the identifiers of requests
        self._declined: set[str] = set()
        self._telling: set[asyncio.Task[None]] = set()

    async def ask(self, standing: Standing) -> None:
        """Have the client open the page; its answer comes when it comes, and it is told when the page is over."""
        identifier = f"{self._prefix}{standing.id}"
        if len(self.asked) < _MOST:
            self.asked[identifier] = standing.id
        message, url = answers.opening(standing)
        params = {"mode": "url", "message": message, "url": url, "elicitationId": standing.id}
        await self._send(request(identifier, "elicitation/create", params))
        task = asyncio.get_running_loop().create_task(self._tell(standing.id))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def answered(self, message: Message) -> bool:
        """Take the client's answer, also one that comes late; False where it is for somebody else."""
        identifier, result = message.get("id"), message.get("result")
        if not isinstance(identifier, str) or not identifier.startswith(self._prefix):
            return False
        action = result.get("action") if isinstance(result, dict) else None
        held = self.asked.get(identifier)
        if held is not None and action != "accept":  # it has taken no part, and is told nothing of the end
            del self.asked[identifier]
        if held is not None and action in {"decline", "cancel"}:
            self._declined.add(held)
        return True

    def declined(self, held: str) -> bool:
        """Tell whether the client's user declined to open the page of a held call."""
        return held in self._declined

    def heard(self, held: str) -> None:
        """Take note that the client was told what declining has led to; the same call again is asked for again."""
        self._declined.discard(held)

    async def over(self, held: str) -> None:
        """Tell the client, once, that the page has done its work."""
        identifier = f"{self._prefix}{held}"
        self.heard(held)
        if self.asked.pop(identifier, None) is not None:
            await self._send(notification("notifications/elicitation/complete", {"elicitationId": held}))

    async def close(self) -> None:
        """Tell nobody any more."""
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    async def _tell(self, held: str) -> None:
        if await self._ended(held):
            await self.over(held)
