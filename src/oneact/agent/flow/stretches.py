"""The way of one act in three stretches, so that several can go the middle one together: offer, question, outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.agent.errors import Refused, Unreachable
from oneact.agent.flow import introducing, offering, settling, steps, waiting
from oneact.agent.flow.steps import Call, Outcome
from oneact.errors import Reason
from oneact.protocol import canonical

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from oneact.agent.flow.steps import Answer, Asker, Event, Flow, Service, Step, Wanted
    from oneact.agent.flow.waiting import Asked
    from oneact.protocol.jwk import PublicKey
    from oneact.protocol.metadata import ServiceMetadata
    from oneact.protocol.offer import Offer

LARGEST: Final = 20  # acts of one batch
_CLIENT_ERROR: Final = 400


@dataclass(frozen=True, slots=True)
class Offered:
    """An act that its service has offered, checked at second `at`, and who asks for it; `text` is the offer itself."""

    wanted: Wanted
    asker: Asker
    service: Service
    offer: Offer
    text: str
    at: int


def offered(
    wanted: Wanted, asker: Asker, described: ServiceMetadata, keys: Mapping[str, PublicKey]
) -> Generator[Step, Event, Offered | Outcome]:
    """Make the plain request and check the offer; an address that asks for no approval has answered it."""
    service = steps.Service(wanted.service, described.jwks_uri, keys)
    known = (yield from introducing.asking_token(asker, described.resource)) if described.personal else None
    first = yield steps.request(wanted, {"Accept-Txn-Challenge": f'?1;as="{asker.server.issuer}"'}, known)
    answer = steps.arrived(first, "the service")
    text = answer.member("transaction_challenge")
    if not text:
        return _without_approval(answer, wanted)
    found, service = yield from offering.checked(text, wanted, asker, service, answer.now)
    return Offered(wanted, asker, service, found, text, answer.now)


def asked_together(acts: Sequence[Offered]) -> Generator[Step, Event, tuple[Asked, ...]]:
    """Bring the offers of up to twenty acts at one service as one batch: one page, an item each, in their order."""
    first = acts[0].asker
    if len(acts) == 1:
        try:
            return ((yield from waiting.ask(acts[0].text, first)),)
        except waiting.KeyUsed as used:
            raise (yield from settling.earlier(first, acts[0].service, used.answer)) from None
    form = {
        "batch": canonical.encode([act.text for act in acts]).decode(),
        "batch_keys": canonical.encode([act.asker.idempotency_key for act in acts]).decode(),
        "login_hint": first.hint,
        **({"reason": first.reason} if first.reason else {}),
    }
    address = first.server.endpoints["transaction_authorization_endpoint"]
    try:
        answer = yield from waiting.brought(Call("POST", address, {}, form, authenticated=True))
    except waiting.KeyUsed as used:  # of which, it does not say: each tells when it is asked about alone
        raise steps.refused(used.answer) from None
    items = answer.members().get("items")
    named = [item for item in items if isinstance(item, str)] if isinstance(items, list) else []
    if len(named) != len(acts) or len(set(named)) != len(acts):
        raise Refused(Reason.REQUEST_MALFORMED.value, "the approval server has not named each item of the batch")
    return tuple(waiting.asked(answer, item) for item in named)


def outcome(act: Offered, asked: Asked) -> Flow:
    """Wait for the person, see that the author still means the same, have it done, and tell what became of it."""
    try:
        issued = yield from waiting.wait_for(act.asker, asked, asked.at + act.asker.patience)
    except waiting.Lapsed:
        return (yield from settling.look_up(act.asker, act.service, act.offer, asked.identifier))
    if not act.wanted.still():
        raise Refused(Reason.ACT_MISMATCH.value, "the arguments were changed while the person was asked")
    used = waiting.of_token(issued, act.offer, act.asker, asked)
    return (yield from settling.execute(act.wanted, act.asker, act.service, used, asked.identifier, issued))


def _without_approval(answer: Answer, wanted: Wanted) -> Outcome:
    """Give the answer of an address that asked for none; a refusal raises.

    Where an action is wanted by its name there is no such address: that is the page of something in between.
    """
    if answer.status >= _CLIENT_ERROR:
        raise steps.refused(answer)
    if wanted.action is not None:
        raise Unreachable(f"{wanted.url} answered {answer.status}, and that is no service's word on an act")
    return Outcome(answer.status, answer.headers.get("content-type", ""), answer.body, None, "")
