"""What a service shows on its own account page: to which approval servers the account is linked, and the way there."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from oneact.service import approvers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oneact.service.store.contract import Link


class StandingLink(NamedTuple):
    """One link of an account: the approval server, the second since which it stands, how many passkeys are pinned.

    `approver` is the code by which the act `oneact.remove_approver` names the person.
    """

    issuer: str
    since: int
    passkeys: int
    approver: str


class AccountLinks(NamedTuple):
    """The links of an account, one for each person who approves, and `page`, the address at which to link and unlink.

    `unlinking` is the second from which an unlinking without a passkey can be completed at `unlink_page`; None where
    nobody has asked for one. `unlink_page` is None where the guard has no `notify`.
    """

    links: tuple[StandingLink, ...]
    page: str
    unlink_page: str | None
    unlinking: int | None


def read(links: Iterable[Link], page: str, unlink_page: str | None, at: int | None) -> AccountLinks:
    """Give what an account's links come to for its owner."""
    standing = (_standing(link) for link in links)
    return AccountLinks(tuple(standing), page, unlink_page, at)


def fragment(found: AccountLinks) -> str:
    """Give HTML for the owner's own page: no script, no style, no form; everything in it is escaped."""
    if not found.links:
        says = "<p>No passkey approves acts on this account yet, so no agent can ask for any.</p>"
        return _framed(says, found.page, "Set up approvals")
    several = len(found.links) > 1
    items = "".join(_item(link, several=several) for link in found.links)
    says = f"<p>Agents can ask for single acts on this account; each one waits for a passkey.</p><ul>{items}</ul>"
    return _framed(says + _lost(found), found.page, "See or end this link")


def _standing(link: Link) -> StandingLink:
    found = link.roster
    return StandingLink(found.iss, link.linked_at, len(found.credentials), approvers.code(found))


def _lost(found: AccountLinks) -> str:
    if found.unlink_page is None:
        return ""
    if found.unlinking is None:
        return f'<p><a href="{escape(found.unlink_page)}">All passkeys are lost</a></p>'
    return (
        f"<p>Someone has asked to unlink this account without a passkey, from {_day(found.unlinking)} on. "
        f'<a href="{escape(found.unlink_page)}">See or cancel that</a></p>'
    )


def _framed(body: str, page: str, way: str) -> str:
    return f'<div class="oneact-links">{body}<p><a href="{escape(page)}">{way}</a></p></div>'


def _item(link: StandingLink, *, several: bool) -> str:
    who = f", person {escape(link.approver)}" if several else ""
    many = "1 passkey" if link.passkeys == 1 else f"{link.passkeys} passkeys"
    return f"<li><strong>{escape(link.issuer)}</strong>, since {_day(link.since)}, {many}{who}</li>"


def _day(second: int) -> str:
    day = datetime.fromtimestamp(second, UTC).date().isoformat()
    return f'<time datetime="{day}">{day}</time>'
