"""The way of one act as its agent goes it, without I/O: a generator that gives the next step and takes what came of it.

discover the service -> plain request -> offer -> approval server -> poll -> request with token -> receipt.
Where the service tells the terms of some actions to known callers alone, an asking token comes before all of it.
A lost answer is repeated with the same token, then asked after; an act is never asked for anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from oneact.agent.errors import Refused
from oneact.agent.flow import steps, stretches
from oneact.agent.flow.reading import Session, fetch, open_session, published
from oneact.agent.flow.steps import Answer, Asker, Call, Event, Flow, Lost, Outcome, Step, Wait, Wanted
from oneact.agent.flow.stretches import LARGEST, Offered, asked_together, offered, outcome
from oneact.agent.flow.waiting import Asked
from oneact.errors import Reason, Refusal
from oneact.protocol import action, canonical, jwk, metadata

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from oneact.protocol.action import Action
    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey
    from oneact.protocol.metadata import ServiceMetadata
    from oneact.protocol.reading import Read

__all__ = [
    "LARGEST",
    "LINK_HELPS",
    "Answer",
    "Asked",
    "Asker",
    "Call",
    "Event",
    "Flow",
    "Lost",
    "Offered",
    "Outcome",
    "Session",
    "Step",
    "Wait",
    "Wanted",
    "act",
    "actions",
    "asked_together",
    "by_name",
    "discover",
    "fetch",
    "linkable",
    "offered",
    "open_session",
    "outcome",
    "reads",
]
LINK_HELPS: Final = frozenset({"unlinked_service", "account_not_linked", "issuer_not_accepted"})

_T = TypeVar("_T")


def by_name(service: str, name: str, parameters: dict[str, Json], act_uri: str) -> Wanted:
    """Want an action by its name at the service's own address for that."""
    body = canonical.encode({"action": name, "parameters": parameters})
    return Wanted(service, "POST", act_uri, body, "application/json", name, parameters)


def discover(service: str) -> Generator[Step, Event, tuple[ServiceMetadata, dict[str, PublicKey]]]:
    """Give a service's metadata and keys; raises `Unreachable` or `Refused`."""
    described = yield from _described(service)
    return described, jwk.parse_set((yield from steps.document(described.jwks_uri)))


def actions(service: str) -> Generator[Step, Event, tuple[Action, ...]]:
    """Give the actions that a service publishes; raises `Unreachable` or `Refused`."""
    described = yield from _described(service)
    found = yield from steps.document(described.actions_uri)
    listed = found.get("actions") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise Refusal(Reason.ACTION_INVALID, "no array of actions")
    return tuple(action.parse(item) for item in listed)


def reads(service: str) -> Generator[Step, Event, tuple[Read, ...]]:
    """Give the reads that a service publishes; raises `Unreachable` or `Refused`."""
    described = yield from _described(service)
    return tuple((yield from published(described)).values())


def _described(service: str) -> Generator[Step, Event, ServiceMetadata]:
    found = yield from steps.document(metadata.well_known(service, metadata.SERVICE_PATH))
    return metadata.parse_service(found, service)


def act(wanted: Wanted, asker: Asker, described: ServiceMetadata, keys: Mapping[str, PublicKey]) -> Flow:
    """Go the whole way of one act; raises `Denied`, `Expired`, `Undecided`, `Refused`, `Unreachable`, `OutcomeUnknown`.

    A refusal that linking the account would cure holds the service's own link page.
    """
    return (yield from linkable(described, _whole_way(wanted, asker, described, keys)))


def linkable(described: ServiceMetadata, going: Generator[Step, Event, _T]) -> Generator[Step, Event, _T]:
    """Go a stretch of the way; a refusal that linking the account would cure holds the service's own link page."""
    try:
        return (yield from going)
    except Refused as refused:
        if refused.reason in LINK_HELPS:
            refused.link_uri = described.link_uri
        raise


def _whole_way(wanted: Wanted, asker: Asker, described: ServiceMetadata, keys: Mapping[str, PublicKey]) -> Flow:
    found = yield from stretches.offered(wanted, asker, described, keys)
    if isinstance(found, Outcome):
        return found
    [asked] = yield from stretches.asked_together([found])
    return (yield from stretches.outcome(found, asked))
