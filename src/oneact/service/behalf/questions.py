"""What is held of one question: the offer in the name of the service itself, and the lines that its person will see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneact.errors import Reason, Refusal
from oneact.protocol import display, metadata, offer
from oneact.service.act import Asker
from oneact.service.store.holding import Question

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.service.guard import GuardCore
    from oneact.service.guarded import Guarded
    from oneact.service.store.contract import Link


async def make(guard: GuardCore, guarded: Guarded, parameters: dict[str, Json], link: Link) -> tuple[Question, int]:
    """Give the question to the person of a link, and the second at which its offer ends.

    Refuses `issuer_not_accepted` for an approval server that the service takes no longer, and what an offer refuses.
    """
    pinned = link.roster
    if not await guard.issuers.accepts(pinned.iss):
        raise Refusal(Reason.ISSUER_NOT_ACCEPTED, pinned.iss)
    client_id = guard.resource + metadata.CLIENT_PATH
    asker = Asker(link.account, pinned.iss, pinned.sub, client_id, guard.keys.signing.public.thumbprint)
    text = await guard.make_offer(guarded, parameters, pinned.iss, asker)
    offered = offer.parse(text)[0]
    lines = display.render(guarded.action, parameters, offered.act.terms)
    return Question(text, pinned.iss, pinned.sub, offered.txn, lines), offered.exp
