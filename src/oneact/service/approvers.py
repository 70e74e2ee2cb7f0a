"""Several people on one account: who comes second is named by an act that one who is there approves.

An agent inside a session can do all that a session can. So whoever links to an account that has a link becomes a
candidate only, by a code that the service shows in their browser; the act names approval server and code, the person
who approves it sees both, and exactly the roster that the code stands for is pinned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, jwk
from oneact.protocol.action import Rule
from oneact.service import actions, exchange, link_page
from oneact.service.guarded import Guarded, by_schema

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.roster import Roster
    from oneact.service.act import Act, LocalAccount
    from oneact.service.exchange import Answer
    from oneact.service.guard import GuardCore
    from oneact.service.store.contract import Link

ADD: Final = "oneact.add_approver"
REMOVE: Final = "oneact.remove_approver"
MOST: Final = 8
_WAIT: Final = 600  # seconds in which a candidate can be named
_CANDIDATES: Final = 3
_TAG: Final = b"oneact-approver-1\n"
_SCHEMA: Final[dict[str, Json]] = {
    "type": "object",
    "required": ["issuer", "approver"],
    "properties": {
        "issuer": {"type": "string", "title": "Approval server"},
        "approver": {"type": "string", "title": "Code of the person"},
    },
}


def code(found: Roster) -> str:
    """Give what people compare of an approver: it names the person at the approval server, for as long as linked."""
    named: dict[str, Json] = {"iss": found.iss, "sub": found.sub}
    return jwk.fingerprint(canonical.sha256(_TAG + canonical.encode(named)))


def register(guard: GuardCore, path: str) -> None:
    """Publish the two acts."""

    async def add(parameters: dict[str, Any], act: Act) -> Answer:
        return await _add(guard, act.account, parameters["issuer"], parameters["approver"])

    async def remove(parameters: dict[str, Any], act: Act) -> Answer:
        return await _remove(guard, act.account, parameters["issuer"], parameters["approver"])

    said = "Let the person {approver} at {issuer} approve everything on this account, as you can"
    for name, intent, summary, run in (
        (ADD, "Let another person approve", said, add),
        (REMOVE, "Take a person off this account", "The person {approver} at {issuer} approves nothing more", remove),
    ):
        action = actions.describe(
            name, intent=intent, summary=summary, schema=_SCHEMA, terms=None, sources={}, display=None,
            reversible=True, rule=Rule(), method="POST", path=path,
        )  # fmt: skip
        guard.register(Guarded(action, by_schema(action.schema), run))


async def propose(guard: GuardCore, account: LocalAccount, link: Link) -> Answer:
    """Keep who has linked to an account that has a link as a candidate; refuses `link_exists` where that may not be."""
    now, found = guard.now(), code(link.roster)
    if guard.approvers == 1:
        raise Refusal(Reason.LINK_EXISTS, "the account has a link")
    if not await guard.store.propose(link, found, now, now + _WAIT, _CANDIDATES):
        raise Refusal(Reason.LINK_EXISTS, "the person is linked or proposed, or the account has candidates enough")
    await guard.tell(account.id, "approver_proposed")
    site = link_page.Site(guard.name, guard.resource + "/")
    return exchange.of_page(link_page.proposed(site, account.label, link.roster.iss, found, ADD))


async def _add(guard: GuardCore, account: str, issuer: str, wanted: str) -> Answer:
    if not await guard.store.admit(account, issuer, wanted, guard.now(), guard.approvers):
        return exchange.of_json({"error": "not_proposed"}, 404)
    await guard.tell(account, "approver_added")
    return exchange.of_json({"added": wanted, "issuer": issuer})


async def _remove(guard: GuardCore, account: str, issuer: str, wanted: str) -> Answer:
    for link in await guard.store.links(account):
        named = link.roster.iss == issuer and code(link.roster) == wanted
        if named and await guard.store.remove_approver(account, issuer, link.roster.sub, guard.now()):
            await guard.tell(account, "approver_removed")
            return exchange.of_json({"removed": wanted, "issuer": issuer})
    return exchange.of_json({"error": "not_linked"}, 404)
