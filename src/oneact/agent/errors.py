"""How one act can end other than done; each is a different thing for the author of an agent to do."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from oneact.errors import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oneact.protocol.canonical import Json
    from oneact.protocol.receipt import Receipt


class AgentError(Exception):
    """Anything that keeps an act from having been done, as far as is known."""


class Denied(AgentError):  # noqa: N818 - the person's word, not a fault
    """The person said no; `message` holds their words, if they gave any. Do not ask again for the same."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or "the person said no")
        self.message = message


class Expired(AgentError):  # noqa: N818 - an end, not a fault
    """Nobody decided in time, or the token lived out its seconds unused; nothing was executed."""


class Undecided(AgentError):  # noqa: N818 - no end at all
    """Nobody has decided yet, and the request stands: the same call with the same `idempotency_key` goes on with it.

    `identifier` is the request's at the approval server, `page` the address where its person finds it.
    """

    def __init__(self, identifier: str, page: str) -> None:
        super().__init__(f"nobody has decided yet; the request stands at {page}")
        self.identifier = identifier
        self.page = page


class Refused(AgentError):  # noqa: N818 - an answer, not a fault
    """The service or the approval server refused; `reason` is from the closed table, nothing was executed.

    `field` is the parameter at fault, where the service names one.
    `idempotency_conflict` alone speaks of this wish only: what became of the earlier one of that key is in `earlier`,
    the service's verified word, or None where the approval server has none.
    """

    def __init__(
        self,
        reason: str,
        says: str = "",
        status: int = 0,
        link_uri: str = "",
        field: str = "",
        earlier: Receipt | None = None,
    ) -> None:
        became = f" What it was used for is {earlier.status}, in {earlier.txn}." if earlier else ""
        super().__init__((f"{reason}: {says}" if says else reason) + (f" ({field})" if field else "") + became)
        self.earlier = earlier
        self.reason = reason
        self.says = says
        self.status = status
        self.link_uri = link_uri
        self.field = field


class TermsChanged(Refused):
    """The service's terms are no longer those that the person approved; nothing was executed.

    `approved` are the terms of the approval, `terms` those that the service states now, from its fresh offer, verified;
    None where it states none any more. Nobody has approved them: to have the act done by them, ask anew, as a wish of
    its own.
    """

    def __init__(self, says: str, status: int, approved: dict[str, Json] | None, terms: dict[str, Json] | None) -> None:
        super().__init__(Reason.TERMS_CHANGED.value, says, status)
        self.approved = approved
        self.terms = terms


class Unreachable(AgentError):  # noqa: N818 - an end, not a fault
    """The service or the approval server could not be reached before the act was sent; nothing was executed."""


class OutcomeUnknown(AgentError):  # noqa: N818 - an end, not a fault
    """The act was sent and nobody says what became of it; `txn` names it. Never repeat it as a new act."""

    def __init__(self, txn: str, why: str = "") -> None:
        super().__init__(f"the outcome of {txn} is not known{': ' + why if why else ''}")
        self.txn = txn


@contextlib.contextmanager
def as_refused() -> Iterator[None]:
    """Give what the protocol refuses here as the refusal that an author expects."""
    try:
        yield
    except Refusal as refusal:
        raise Refused(refusal.reason.value, refusal.reason.says) from refusal
