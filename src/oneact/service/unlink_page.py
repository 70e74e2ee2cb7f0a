"""The pages of an unlinking without a passkey: no script, nothing from elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from oneact.service.link_page import page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oneact.service.link_page import Site


class Form(NamedTuple):
    """Where the forms go and what they carry; `sign_in` is the way to a fresh sign-in, None where it is fresh."""

    action: str
    csrf: str
    sign_in: str | None


def ask(site: Site, label: str, issuers: Sequence[str], form: Form) -> str:
    """Give the page on which a person who has no passkey left begins the wait."""
    listed = " and ".join(f"<strong>{escape(issuer)}</strong>" for issuer in issuers)
    return page(
        site,
        "Unlink without a passkey",
        f"<p>The account <strong>{escape(label)}</strong> is linked to {listed}. If you have one of your passkeys, do "
        "not use this page: have an agent ask for <code>oneact.unlink</code> and approve it.</p><p>If all of them are "
        "lost: ask here, and we tell every address we know of you, at once and every day. After 72 hours you sign in "
        "again and complete it here, within a week. Any act approved with a passkey cancels it, and so does anyone "
        f"signed in to this account.</p>{_fresh(form, 'ask', 'Ask to be unlinked')}",
    )


def waiting(site: Site, label: str, at: int, form: Form, *, is_over: bool) -> str:
    """Give the page of an account whose wait runs until second `at`, or is over."""
    moment = datetime.fromtimestamp(at, UTC)
    shown = f'<time datetime="{moment.isoformat()}">{moment:%Y-%m-%d %H:%M} UTC</time>'
    complete = _fresh(form, "complete", "Unlink now") if is_over else ""
    return page(
        site,
        "Unlinking was asked for",
        f"<p>Someone signed in to <strong>{escape(label)}</strong> has asked to unlink it without a passkey. It can be "
        f"completed from {shown} on, for a week.</p><p>If that was not you, cancel it and change how you sign in "
        f"here.</p>{_form(form, 'cancel', 'Cancel the unlinking')}{complete}",
    )


def unlinked(site: Site, link_uri: str) -> str:
    """Give the page of an account that has no link."""
    return page(
        site,
        "This account is not linked",
        f'<p>No agent can ask for anything on it.</p><p><a href="{escape(link_uri)}">Link it anew</a></p>',
    )


def _fresh(form: Form, do: str, says: str) -> str:
    """Give a form that needs a fresh sign-in, or what to do first."""
    if form.sign_in is None:
        return _form(form, do, says)
    way = f'<a href="{escape(form.sign_in)}">Sign in again</a>' if form.sign_in else "Sign in again"
    return f'<p class="note">{way} first: your sign-in is older than five minutes.</p>'


def _form(form: Form, do: str, says: str) -> str:
    return (
        f'<form method="post" action="{escape(form.action)}"><input type="hidden" name="do" value="{do}">'
        f'<input type="hidden" name="csrf" value="{escape(form.csrf)}"><button>{says}</button></form>'
    )
