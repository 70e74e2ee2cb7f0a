"""What the sidecar does for its service: the guard, except that the service's own acts are handed out to run there."""

from __future__ import annotations

import contextvars
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import fitting
from oneact.service import Guard, endpoints, exchange, readers, reading, receipts
from oneact.service.exchange import Answer
from oneact.service.guarded import Guarded, by_schema
from oneact.service.receipts import Receipts
from oneact.sidecar import tickets
from oneact.sidecar.handing import Handed, Handing

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.service import Act, Request
    from oneact.sidecar.calls import Asked, Ended, Settled, ToRead
    from oneact.sidecar.config import Config

_Notices = list[tuple[str, str]]
_NOTICES: Final[contextvars.ContextVar[_Notices]] = contextvars.ContextVar("notices")


class Verifier(Guard):
    """The guard of one service that runs its acts itself. Raises ValueError for a configuration that cannot work."""

    def __init__(self, config: Config) -> None:
        super().__init__(**config.settings, account=lambda account: account, notify=_notice)
        self.execution = self.handing = Handing(self.store, Receipts(self.keys), self.now)
        for described in config.actions:
            run = by_schema(described.action.schema)
            self.register(Guarded(described.action, run, _hand, deadline=described.deadline))
            self.handing.handed.add(described.action.name)
        self.reads |= config.reads

    @property
    def tells_later(self) -> bool:
        """Tell that no notice reaches the service between its calls: so there is no unlinking without a passkey."""
        return False

    async def offer(self, asked: Asked) -> dict[str, Json]:
        """Answer a request without a token, with an offer or a refusal; nothing is ever executed by it."""
        if asked.request.values("authorization"):
            raise Refusal(Reason.REQUEST_MALFORMED, "a request with a token is for /verify")
        return await self.verify(asked)

    async def verify(self, asked: Asked) -> dict[str, Json]:
        """Say what to do with a request: to execute an act that has just been spent, or to relay an answer."""
        notices: _Notices = []
        _NOTICES.set(notices)
        found = await self._performed(asked)
        if isinstance(found, Handed):
            assert found.act is not None
            assert found.spend is not None
            ticket = tickets.make(found.spend.key, self.keys.txn_keys[0])
            return {"execute": _members(found.act, found.spend.deadline_at), "ticket": ticket}
        return {"answer": _relayed(found), "notices": _told(notices)}

    async def read(self, asked: ToRead) -> dict[str, Json]:
        """Say for which account a request reads, or what to answer where no person has opened the read to its agent.

        Refuses `request_malformed`, as the service's own fault, for a read that is not published.
        """
        request = asked.request
        if asked.name not in self.reads:
            raise Refusal(Reason.REQUEST_MALFORMED, f"there is no read {asked.name!r}")
        if request.method not in readers.METHODS:
            return {"answer": _relayed(exchange.of_other_method(request, ["GET"])), "notices": []}
        try:
            found = await readers.reading_of(self, asked.name, request)
        except Refusal as refusal:
            answer = exchange.refused(refusal, request.method, request.path)
            return {"answer": _relayed(answer), "notices": []}
        return {"reading": asdict(found)}

    async def receipt(self, ended: Ended) -> dict[str, Json]:
        """Record what became of an act, and give the header fields with which the service's answer carries its receipt.

        Refuses `receipt_unknown` for what is no ticket, `receipt_conflict` where another word stands.
        """
        await self.start()
        key = tickets.read(ended.ticket, self.resource, self.keys.txn_keys)
        if ended.status is None:
            outcome = await self.handing.end(key, None, told=False)
            return {"answer": _relayed(exchange.of_refusal(Refusal(Reason.ALREADY_SPENT), receipt=outcome.receipt))}
        answer = Answer(ended.status, ended.body or b"", ended.content_type)
        outcome = await self.handing.end(key, answer, told=ended.body is not None)
        return {"headers": dict(receipts.headers(outcome))}

    async def page(self, request: Request) -> dict[str, Json]:
        """Answer a request to one of the guard's own public addresses."""
        if (request.method, request.path) == ("POST", endpoints.ACT_PATH):
            raise Refusal(Reason.REQUEST_MALFORMED, "a request for an act by its name is for /offer and /verify")
        notices: _Notices = []
        _NOTICES.set(notices)
        return {"answer": _relayed(await endpoints.answer(self, request)), "notices": _told(notices)}

    async def settled(self, settled: Settled) -> dict[str, Json]:
        """Say what became of an act that is `unknown`."""
        return {"settled": await self.settle(settled.issuer, settled.txn, settled.state)}

    async def unlinked(self, account: str) -> dict[str, Json]:
        """Take every approval server off a local account, without any passkey: for the owner's own support."""
        notices: _Notices = []
        _NOTICES.set(notices)
        return {"unlinked": await self.unlink(account), "notices": _told(notices)}

    async def _performed(self, asked: Asked) -> Answer:
        request = asked.request
        try:
            guarded, given = self._by_name(asked) if request.path == endpoints.ACT_PATH else self._by_route(asked)
            guarded.normalise(given)
        except _OtherMethodError as other:
            return exchange.of_other_method(request, [other.method])
        except Refusal as refusal:
            return exchange.refused(refusal, request.method, request.path)
        _check_terms(guarded, asked.terms)

        async def quote(_: dict[str, Any]) -> dict[str, Any]:
            assert asked.terms is not None
            return asked.terms

        stating = guarded if asked.terms is None else replace(guarded, quote=quote)
        return await self.perform(stating, given, request)

    def _by_name(self, asked: Asked) -> tuple[Guarded, dict[str, Any]]:
        """Give what a request to `/oneact/act` asks for: its body's, which the service has to have read so too."""
        _check_method(asked.request, "POST")
        name, given = (asked.action, asked.flat) if asked.flat is not None else reading.by_name(asked.request)
        if name != asked.action:
            raise Refusal(Reason.REQUEST_MALFORMED, f"the body names {name!r}, the service {asked.action!r}")
        return self._named(name), given

    def _by_route(self, asked: Asked) -> tuple[Guarded, dict[str, Any]]:
        """Give what a request to an action's own route asks for; texts become what the schema says."""
        guarded = self._named(asked.action)
        _check_method(asked.request, guarded.action.method)
        given = asked.flat if asked.flat is not None else reading.given(guarded, asked.request, asked.path)
        return guarded, reading.typed(guarded, given)

    def _named(self, name: str) -> Guarded:
        if name not in self.actions:
            raise Refusal(Reason.ACTION_UNKNOWN, name)
        return self.actions[name]


class _OtherMethodError(Exception):
    """A request by another method than the one of its address."""

    def __init__(self, method: str) -> None:
        super().__init__(method)
        self.method = method


def _check_method(request: Request, method: str) -> None:
    if request.method != method:
        raise _OtherMethodError(method)


def _check_terms(guarded: Guarded, terms: dict[str, Json] | None) -> None:
    """Refuse, as the service's own fault, terms that its action has not, or that are not as it says."""
    described = guarded.action.terms
    if (described is None) != (terms is None):
        raise Refusal(Reason.REQUEST_MALFORMED, f"action {guarded.action.name} has terms: {described is not None}")
    if described is None or terms is None:
        return
    try:
        fitting.validate(described, terms)
    except Refusal as refusal:
        raise Refusal(Reason.REQUEST_MALFORMED, f"terms of {guarded.action.name}: {refusal.detail}") from refusal


async def _hand(_: dict[str, Any], act: Act) -> Answer:
    return Handed(200, act=act)


def _notice(account: str, event: str) -> None:
    _NOTICES.get().append((account, event))


def _told(notices: _Notices) -> list[Json]:
    return [{"account": account, "event": event} for account, event in notices]


def _relayed(answer: Answer) -> dict[str, Json]:
    """Give an answer as it is relayed; what the guard says is text, and names no header field twice."""
    named = [("Content-Type", answer.content_type)] if answer.body else []
    headers: dict[str, Json] = dict([*named, ("Content-Length", str(len(answer.body))), *answer.headers])
    assert len(headers) == len(named) + 1 + len(answer.headers)
    return {"status": answer.status, "headers": headers, "body": answer.body.decode()}


def _members(act: Act, deadline: int) -> dict[str, Json]:
    return {
        "action": act.action,
        "account": act.account,
        "txn": act.txn,
        "parameters": act.parameters,
        "terms": act.terms,
        "approvers": list(act.approvers),
        "issuer": act.issuer,
        "client_id": act.client_id,
        "jkt": act.jkt,
        "deadline": deadline,
    }
