"""Calls that wait for a person: asked for once, told where they stand, done once, their result given as it came."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Reason, Refusal
from oneact.gateway.mcp import eliciting, personal, strict
from oneact.gateway.mcp.messages import (
    MODERN,
    Lost,
    Message,
    Unsent,
    is_response,
    meta_of,
    notification,
    params_of,
    response,
)
from oneact.gateway.mcp.tools import CALLER
from oneact.protocol import receipt
from oneact.service import linking
from oneact.service.mcp import answers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oneact.gateway.mcp.proxy import Proxy
    from oneact.gateway.mcp.upstream import Upstream
    from oneact.service.behalf.standing import Standing
    from oneact.service.exchange import Answer

WAIT: Final = 50.0  # seconds for which a call is held at a time; clients give up after 60
TAKEN: Final = 55.0  # seconds after which nobody can tell whether the client still waited for the answer
ACCOUNT: Final = "owner"
_SETTLING: Final = 5.0
_STEP: Final = 1.0
_PROGRESS: Final = 5  # steps between two notes of progress
_SLIGHT: Final = 1e-6  # of progress: less than whatever the tool itself will tell
_INPUT: Final = "input_required"
_SHOWN: Final = (
    "The person finds the address at which they begin in their browser, on the proxy's standard error, or by typing "
    "`oneact mcp start` in a terminal of their own."
)


@dataclass(frozen=True, slots=True)
class Asking:
    """One call of the client's: its message, the tool and its arguments, what the client can do, the revision."""

    message: Message
    tool: str
    arguments: dict[str, Any]
    capabilities: Message
    revision: str

    @property
    def params(self) -> Message:
        """Give the parameters of the message."""
        return params_of(self.message)

    def finished(self, result: Message) -> Message:
        """Give a result of the proxy's own as the revision writes it."""
        return {"resultType": "complete", **result} if self.revision in MODERN else result

    def same(self, state: object) -> str:
        """Give what is the same in a call that is repeated with the input it was found to need."""
        return json.dumps([self.tool, self.arguments, state], sort_keys=True)


@dataclass(frozen=True, slots=True)
class _Caller:
    """Calls the server for one approved call, with whatever the client sent beside name and arguments."""

    approving: Approving
    asking: Asking

    async def run(self, tool: str, arguments: dict[str, Any], txn: str) -> Answer:
        """Call the tool; what is lost on the way is raised, so that its outcome is unknown."""
        return await self.approving.run(self.asking, tool, arguments, txn)


class Approving:
    """The held calls of one client; `walk` looks whether its server still has the tools that it had."""

    def __init__(
        self,
        proxy: Proxy,
        session: str,
        upstream: Upstream,
        send: Callable[[Message], Awaitable[bool]],
        walk: Callable[[Message], Awaitable[int]],
    ) -> None:
        self._proxy, self._session, self._upstream, self._send, self._walk = proxy, session, upstream, send, walk
        self._eliciting = eliciting.Eliciting(send, proxy.calls.over)
        self._delivering, self._settled = 0, asyncio.Event()
        self._settled.set()
        self._needing: dict[str, None] = {}  # approved calls that the server has asked input for, in order

    async def held(self, asking: Asking) -> None:
        """Have a call approved and done, and answer it; or say that it waits, after a time."""
        began = time.monotonic()
        try:
            standing = await self.begun(asking)
        except Refusal as refusal:
            await self._refused(asking, refusal)
            return
        await self._follow(asking, standing, began)

    async def begun(self, asking: Asking) -> Standing:
        """Hold a call; refuses what `Calls.begin` refuses."""
        CALLER.set(_Caller(self, asking))
        with contextlib.suppress(TimeoutError):  # a client may call again before it is noted that it has its answer
            await asyncio.wait_for(self._settled.wait(), _SETTLING)
        guarding = await self._proxy.tools.guarding(asking.tool)
        parameters = guarding.shape.parameters(asking.arguments)
        return await self._proxy.calls.begin(guarding.guarded, parameters, ACCOUNT, self._session)

    async def waited(self, asking: Asking) -> None:
        """Answer a call of the tool that waits."""
        began, identifier = time.monotonic(), asking.arguments.get("id")
        CALLER.set(
            _Caller(self, asking)
        )  # it may be a call of a process before this one, which is followed from now on
        if not isinstance(identifier, str) or len(asking.arguments) != 1:
            await self._refused(asking, Refusal(Reason.PARAMETERS_INVALID, "not an id alone", "id"))
            return
        try:
            await self._walk(meta_of(asking.message))
            await self._proxy.tools.publish()
            standing = await self._proxy.calls.wait(identifier, self._session, 0)
        except (Lost, TimeoutError, ValueError) as error:
            said = _error(f"The server behind the proxy is not there: {error}. Nothing was done.")
            await self._send(response(asking.message["id"], asking.finished(said)))
            return
        except Refusal as refusal:
            await self._refused(asking, refusal)
            return
        await self._deliver(asking, await self._wait(asking, standing), began)

    async def run(self, asking: Asking, tool: str, arguments: dict[str, Any], txn: str) -> Answer:
        """Call the server, once, for an approved call."""
        try:
            generation = await self._walk(meta_of(asking.message))
        except (Lost, TimeoutError, ValueError) as error:
            return answers.of_result(_error(f"The server behind the proxy is not there: {error}. Nothing was done."))
        if self._proxy.tools.changed():
            return answers.of_result(_error("Stopped: the server has changed its tools meanwhile. Nothing was done."))
        if personal.is_taken(self._proxy.issuer):
            return answers.of_result(_error("Stopped: the approval server is another user's. Nothing was done."))
        params = strict.approved(asking.params, tool, arguments)
        try:
            answer = await self._upstream.ask("tools/call", params, self._proxy.policy.deadline, generation)
        except Unsent as lost:
            return answers.of_result(_error(f"The server behind the proxy is not there: {lost}. Nothing was done."))
        self._proxy.keep(txn, answer)
        result = answer.get("result")
        if not isinstance(result, dict):
            said = answer.get("error")
            return answers.of_result(_error(f"The server refused the call: {json.dumps(said)}"))
        return answers.of_result(result)

    def continues(self, asking: Asking) -> bool:
        """Tell whether a call is one that was approved, repeated with the input that the server has asked for; once."""
        if not {"requestState", "inputResponses"} & asking.params.keys():
            return False
        named = asking.same(asking.params.get("requestState"))
        found = named in self._needing
        self._needing.pop(named, None)
        return found

    def needs_input(self, asking: Asking, result: object) -> None:
        """Take note that the server wants input for a call that is approved: repeated with it, it is the same call."""
        if isinstance(result, dict) and result.get("resultType") == _INPUT:
            self._needing[asking.same(result.get("requestState"))] = None
            while len(self._needing) > self._proxy.KEPT:
                self._needing.pop(next(iter(self._needing)))

    def answered(self, message: Message) -> bool:
        """Take the client's answer to a request of the proxy's own; False where it is none."""
        return is_response(message) and self._eliciting.answered(message)

    async def leave(self, seconds: float) -> None:
        """Withdraw what waits, within so many seconds."""
        await self._proxy.calls.leave(self._session, seconds)
        await self._eliciting.close()

    async def _follow(self, asking: Asking, standing: Standing, began: float) -> None:
        """Lead the person to the page, by what the client can do, and wait."""
        state = eliciting.read(asking.params)
        if self._eliciting.declined(standing.id) or state.declined:
            await self._declined(asking, standing)
            return
        first = standing.state == "held" and self._proxy.show(standing.id, standing.page, asking.tool)
        by_input = asking.revision in MODERN and eliciting.able(asking.capabilities, asking.revision)
        if by_input and standing.state == "held" and standing.page and state.round == 0:
            await self._send(response(asking.message["id"], eliciting.wanted(standing, 1)))
            return
        if first and eliciting.able(asking.capabilities, asking.revision):
            await self._eliciting.ask(standing)
        elif first:
            await self._proxy.open(standing.page)
        found = await self._wait(asking, standing)
        if self._eliciting.declined(standing.id):
            await self._declined(asking, found)
        elif by_input and found.state == "held" and 0 < state.round < eliciting.ROUNDS:
            await self._send(response(asking.message["id"], eliciting.wanted(found, state.round + 1)))
        else:
            await self._deliver(asking, found, began)

    async def _wait(self, asking: Asking, standing: Standing) -> Standing:
        """Wait for the end of a call, and tell the client that it goes on."""
        token, until, step = _progress_token(asking), time.monotonic() + WAIT, 0
        try:
            while standing.state == "held" and time.monotonic() < until and not self._eliciting.declined(standing.id):
                step += 1
                if token is not None and step % _PROGRESS == 1:
                    told = {"progressToken": token, "progress": step * _SLIGHT, "message": "waiting for approval"}
                    await self._send(notification("notifications/progress", told))
                standing = await self._proxy.calls.wait(standing.id, self._session, _STEP)
        except asyncio.CancelledError:
            await asyncio.shield(self._proxy.calls.cancel(standing.id, self._session))
            raise
        return standing

    async def _declined(self, asking: Asking, standing: Standing) -> None:
        """Say that the client's own user did not open the page."""
        if standing.state != "held":
            await self._deliver(asking, standing, time.monotonic())
            return
        self._eliciting.heard(standing.id)
        await self._proxy.calls.cancel(standing.id, self._session)
        await self._send(response(asking.message["id"], asking.finished(answers.declined())))

    async def _deliver(self, asking: Asking, standing: Standing, began: float) -> None:
        """Answer the call with where it stands; what has reached the client is over."""
        if standing.state != "held":
            await self._eliciting.over(standing.id)
        message = self._told(asking, standing)
        self.needs_input(asking, message.get("result"))
        self._delivering += 1
        self._settled.clear()
        try:
            sent = await self._send({**message, "id": asking.message["id"]})
            if standing.state != "held" and sent and time.monotonic() - began < TAKEN:
                await self._proxy.calls.delivered(standing.id, self._session)
        finally:
            self._delivering -= 1
            if not self._delivering:
                self._settled.set()

    def _told(self, asking: Asking, standing: Standing) -> Message:
        """Give the server's own answer, with the receipt, where it is at hand; else what is kept of it."""
        result = answers.of_standing(standing)
        kept = self._proxy.kept(_txn(standing)) if standing.answer is not None else None
        if kept is not None and "error" in kept:
            return kept
        if kept is not None and isinstance(kept.get("result"), dict):
            own = kept["result"].get("_meta")
            meta = {**(own if isinstance(own, dict) else {}), **result.get("_meta", {})}
            return {**kept, "result": {**kept["result"], "_meta": meta}}
        return response(None, asking.finished(result))

    async def _refused(self, asking: Asking, refusal: Refusal) -> None:
        await self._send(response(asking.message["id"], asking.finished(await self.refusal(refusal))))

    async def refusal(self, refusal: Refusal) -> Message:
        """Give the result that says a refusal; where a passkey is needed, its person is shown how to begin."""
        if refusal.reason is not Reason.PASSKEY_NEEDED:
            return answers.refused(refusal)
        trouble = await self._proxy.begun()
        if trouble:
            return answers.error(f"No passkey can be linked yet: {trouble}. Nothing was done.", refusal.reason)
        await self._proxy.show_start()
        return answers.unlinked(self._proxy.guard.resource + linking.LINK_PATH, _SHOWN)


def _error(text: str) -> Message:
    return {"content": [{"type": "text", "text": text}], "isError": True}


def _progress_token(asking: Asking) -> object:
    meta = asking.params.get("_meta")
    return meta.get("progressToken") if isinstance(meta, dict) else None


def _txn(standing: Standing) -> str:
    try:
        return receipt.parse(standing.receipt)[0].txn
    except Refusal:
        return ""
