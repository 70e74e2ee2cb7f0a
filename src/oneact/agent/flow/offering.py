"""The service's offer: it has to be the service's own, for this approval server, and for what was wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oneact.agent.errors import AgentError, Refused, TermsChanged
from oneact.agent.flow import steps
from oneact.errors import Refusal
from oneact.protocol import jwk, offer

if TYPE_CHECKING:
    from collections.abc import Generator

    from oneact.agent.flow.steps import Asker, Event, Step, Wanted
    from oneact.protocol.canonical import Json
    from oneact.protocol.offer import Offer


def checked(
    text: str, wanted: Wanted, asker: Asker, service: steps.Service, now: int
) -> Generator[Step, Event, tuple[Offer, steps.Service]]:
    """Check that the offer is the service's, for this server, and for what was wanted."""
    offered, parsed = offer.parse(text)
    if parsed.header.kid not in service.keys:
        service = yield from refreshed(service)
    offer.check(offered, parsed, service.keys, asker.server.issuer, now)
    if offered.iss != service.resource:
        raise Refused("offer_act", "the offer is for another service")
    if offered.jkt not in {None, asker.jkt}:
        raise Refused("offer_subject", "the offer is for another agent")
    if wanted.action is not None and offered.act.action != wanted.action:
        raise Refused("offer_act", "the offer is for another action")
    if wanted.parameters is not None and not _covers(offered.act.parameters, wanted.parameters):
        raise Refused("offer_act", "the offer is for other parameters")
    return offered, service


def changed(
    answer: steps.Answer, wanted: Wanted, asker: Asker, service: steps.Service, approved: Offer
) -> Generator[Step, Event, Refused]:
    """Read the fresh offer of a `terms_changed`: it has to be as good as the first, and for the same action and values.

    Without it the refusal stands, with no new terms: what nobody signed is no promise.
    """
    told, text = steps.refused(answer), answer.member("transaction_challenge")
    try:
        fresh, _ = yield from checked(text, wanted, asker, service, answer.now)
    except (Refusal, AgentError):
        return told
    if (fresh.act.action_digest, fresh.act.parameters_digest) != (
        approved.act.action_digest,
        approved.act.parameters_digest,
    ):
        return told
    return TermsChanged(told.says, told.status, approved.act.terms, fresh.act.terms)


def refreshed(service: steps.Service) -> Generator[Step, Event, steps.Service]:
    """Give the service with its keys fetched anew."""
    return replace(service, keys=jwk.parse_set((yield from steps.document(service.jwks_uri))))


def _covers(offered: Json, wanted: Json) -> bool:
    """Tell whether everything wanted stands in the offer unchanged; the service may fill in defaults beside it."""
    if isinstance(offered, dict) and isinstance(wanted, dict):
        return all(name in offered and _covers(offered[name], value) for name, value in wanted.items())
    if isinstance(offered, list) and isinstance(wanted, list):
        return len(offered) == len(wanted) and all(map(_covers, offered, wanted))
    return type(offered) is type(wanted) and offered == wanted
