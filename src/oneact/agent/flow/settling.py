"""At the service: send the act with its token, and make sure of what became of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from oneact.agent.errors import Expired, OutcomeUnknown, Refused, Unreachable
from oneact.agent.flow import offering, steps, waiting
from oneact.agent.flow.steps import Answer, Call, Outcome, Wait
from oneact.errors import Reason, Refusal
from oneact.protocol import base64url, receipt

if TYPE_CHECKING:
    from collections.abc import Generator

    from oneact.agent.flow.steps import Asker, Event, Flow, Service, Step, Wanted
    from oneact.protocol.offer import Offer
    from oneact.protocol.receipt import Receipt

_REPEATS: Final = 4
_PAUSE: Final = 2
_RUNNING: Final = 60
# Every request with the same token would have failed these checks, which come after the look-up of a spend.
_FINAL: Final = frozenset(reason.value for reason in Reason if reason.check in {3, 7, 8, 9, 10})
_RECEIPT: Final = "oneact-receipt"
_SALT: Final = "oneact-result-salt"
_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500
_NO_ANSWER: Final = Outcome(0, "", None, None, "")


def execute(wanted: Wanted, asker: Asker, service: Service, offered: Offer, identifier: str, issued: str) -> Flow:
    """Send the act with its token; on silence, and on what is no end after it, the same again, then ask after it.

    While the service says that the act is running there is nothing to make sure of yet: it is asked on, for as long as
    the agent was ready to wait for the person, and at least for a minute.
    """
    jti = waiting.claims_of(issued).jti
    number, silent, until = 0, 0, 0
    while silent < _REPEATS:
        event = yield steps.request(wanted, {}, issued)
        if isinstance(event, Answer) and event.member("error") == "act_in_progress":
            silent, until = -1, until or event.now + max(_RUNNING, asker.patience)
            if event.now >= until:
                break
        elif isinstance(event, Answer):
            text = event.headers.get(_RECEIPT, "")
            if text:
                return (yield from _settled(asker, service, offered, jti, text, _of_handler(event)))
            if event.member("receipt"):
                kept = _of_spend(event, offered)
                return (yield from _settled(asker, service, offered, jti, event.member("receipt"), kept))
            if event.status < _SERVER_ERROR and (number == 0 or _is_end(event)):
                raise (yield from _end(event, wanted, asker, service, offered, number))
        number, silent = number + 1, silent + 1
        yield Wait(_PAUSE)
    return (yield from _asked_after(asker, service, offered, identifier, issued))


def look_up(asker: Asker, service: Service, offered: Offer, identifier: str) -> Flow:
    """Find what became of a token that an earlier call with the same key had: only a receipt of this act tells."""
    text = yield from _receipt(asker, identifier)
    try:
        told, _ = receipt.parse(text)
    except Refusal as refusal:
        raise OutcomeUnknown(identifier, "it was approved in an earlier call, and there is no receipt") from refusal
    return (yield from _settled(asker, service, replace(offered, txn=told.txn), told.jti, text, _NO_ANSWER))


def earlier(asker: Asker, service: Service, answer: Answer) -> Generator[Step, Event, Refused]:
    """Give the refusal of a key that was used before, with the service's own word on that act, if this is one."""
    told = steps.refused(answer)
    try:
        signed = yield from _signed(service, answer.member("receipt"))
    except (Refusal, Unreachable):
        return told
    if (signed.iss, signed.aud) != (service.resource, asker.server.issuer):
        return told
    return Refused(told.reason, told.says, told.status, earlier=signed)


def _is_end(answer: Answer) -> bool:
    """Tell whether a refusal after silence is the end: there is no spend, whichever release of the service answers."""
    return answer.members().get("not_executed") is True and answer.member("reason") in _FINAL


def _end(
    answer: Answer, wanted: Wanted, asker: Asker, service: Service, offered: Offer, number: int
) -> Generator[Step, Event, Exception]:
    if number and answer.member("reason") == Reason.TOKEN_EXPIRED.value:
        return Expired("the token lived out its seconds before it reached the service")
    if answer.member("reason") == Reason.TERMS_CHANGED.value and answer.member("transaction_challenge"):
        return (yield from offering.changed(answer, wanted, asker, service, offered))
    if answer.status >= _CLIENT_ERROR:
        return steps.refused(answer)
    return OutcomeUnknown(offered.txn, "the service answered without a receipt")


def _asked_after(asker: Asker, service: Service, offered: Offer, identifier: str, issued: str) -> Flow:
    """Ask the approval server for the receipt."""
    text = yield from _receipt(asker, identifier)
    if not text:
        raise OutcomeUnknown(offered.txn, "no answer, and no receipt at the approval server")
    return (yield from _settled(asker, service, offered, waiting.claims_of(issued).jti, text, _NO_ANSWER))


def _receipt(asker: Asker, identifier: str) -> Generator[Step, Event, str]:
    form = {"transaction_authorization_id": identifier}
    event = yield Call("POST", asker.server.endpoints["receipt_endpoint"], {}, form, authenticated=True)
    return event.member("receipt") if isinstance(event, Answer) else ""


def _of_handler(answer: Answer) -> Outcome:
    kind = answer.headers.get("content-type", "")
    return Outcome(answer.status, kind, answer.body, None, answer.headers.get(_SALT, ""))


def _of_spend(answer: Answer, offered: Offer) -> Outcome:
    """Read the kept response of an act that had been executed before."""
    kept = answer.members().get("response")
    members = kept if isinstance(kept, dict) else {}
    status, kind, body = members.get("status"), members.get("content_type"), members.get("body_base64url")
    try:
        octets = base64url.decode(body) if isinstance(body, str) else None
    except Refusal as refusal:  # it was executed: nothing may be said that sounds as if it was not
        raise OutcomeUnknown(offered.txn, "the answer that was kept is not in its form") from refusal
    return Outcome(
        status if isinstance(status, int) else 0,
        kind if isinstance(kind, str) else "",
        octets,
        None,
        answer.member("salt"),
    )


def _settled(asker: Asker, service: Service, offered: Offer, jti: str, text: str, found: Outcome) -> Flow:
    """Verify the receipt; an outcome that the service did not sign is no outcome."""
    try:
        signed = yield from _signed(service, text)
    except (Refusal, Unreachable) as error:
        raise OutcomeUnknown(offered.txn, f"the receipt does not verify ({error})") from error
    expected = (service.resource, asker.server.issuer, offered.txn, jti, offered.act.digest)
    if (signed.iss, signed.aud, signed.txn, signed.jti, signed.act_digest) != expected:
        raise OutcomeUnknown(offered.txn, "the receipt is for another act")
    if signed.status == "unknown":
        raise OutcomeUnknown(offered.txn, "the service says so")
    if found.body is not None and not _is_result(signed, found):
        raise OutcomeUnknown(offered.txn, "the answer is not the one that the receipt is for")
    return Outcome(found.status, found.content_type, found.body, signed, text)


def _signed(service: Service, text: str) -> Generator[Step, Event, Receipt]:
    """Verify that the service has signed a receipt, and give it; raises `Refusal` or `Unreachable`."""
    _, parsed = receipt.parse(text)
    if parsed.header.kid not in service.keys:
        service = yield from offering.refreshed(service)
    return receipt.check(text, service.keys)


def _is_result(signed: Receipt, found: Outcome) -> bool:
    if signed.result_digest is None or found.body is None:
        return True
    try:
        salt = base64url.decode(found.jws)
    except Refusal:
        return False
    return receipt.result_digest(salt, found.body) == signed.result_digest
