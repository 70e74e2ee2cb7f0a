"""Who reads: the agent of a linked person, by the read token that it shows; what every face of the guard calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import read_token, reading
from oneact.service.checks import Shown
from oneact.service.reads import check_opened, check_read

if TYPE_CHECKING:
    from oneact.protocol.reading import Read
    from oneact.service.act import Reading
    from oneact.service.exchange import Request
    from oneact.service.guard import GuardCore

METHODS: Final = frozenset({"GET", "HEAD"})  # of a read


def describe(name: str, intent: str, path: str) -> Read:
    """Build one published read; raises ValueError for what cannot be published."""
    try:
        return reading.parse_read({"read": name, "intent": intent, "path": path})
    except Refusal as refusal:
        raise ValueError(
            f"read {name}: a name is lower-case letters, digits, '_' and '.', intent= has 1 to 80 characters, and the "
            f"path is like /itineraries/{{city}} ({refusal.detail})"
        ) from refusal


async def reading_of(guard: GuardCore, name: str, request: Request) -> Reading:
    """Give who makes this request for the read `name`; refuses what no person has opened to them.

    Refuses `read_token_required` for a request without a token, else by the checks of section 7.2.
    """
    await guard.start()
    if not request.values("authorization"):
        raise Refusal(Reason.READ_TOKEN_REQUIRED, name)
    now = guard.now()  # one clock reading for one verification
    address = guard.resource + request.path
    shown = Shown(request.values("authorization"), request.values("dpop"), request.method, address)
    try:
        found, proof, wanted = check_read(shown, name, guard.reads, guard.trust(), now)
    except Refusal as refusal:
        if not await guard.learn(shown.authorization[0].partition(" ")[2], refusal.reason, read_token.parse):
            raise
        found, proof, wanted = check_read(shown, name, guard.reads, guard.trust(), now)
    guard.remember(proof.jkt, proof.jti, now)
    account = await guard.store.account(found.iss, found.sub)
    return check_opened(found, wanted, name, guard.reads, account)
