"""The service's few pages around linking: no script, nothing from elsewhere, readable on a phone."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_STYLE: Final = """
:root{color-scheme:light dark;--ground:#f5f5f2;--card:#fff;--line:#e3e3dd;--text:#1a1c1e;--muted:#61666d;--go:#12664f;
--on-go:#fff;--link:#2b5a9e}
@media(prefers-color-scheme:dark){:root{--ground:#121416;--card:#1b1e21;--line:#30353a;--text:#ecedee;--muted:#a0a7af;
--go:#4fc3a1;--on-go:#06231a;--link:#8db9f5}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header{background:var(--card);border-bottom:1px solid var(--line)}
header p,main{max-width:32rem;margin:0 auto;padding:.9rem 1rem}
header p{font-weight:650}
section{background:var(--card);border:1px solid var(--line);border-radius:16px;padding:1.25rem;margin:.6rem 0 1rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .7rem}
p{margin:.6rem 0}
a{color:var(--link);text-underline-offset:.18em}
label{display:block;font-weight:560;margin:1.1rem 0 .35rem}
input,select,button{font:inherit;color:inherit;width:100%;min-height:48px;padding:.6rem .8rem;border-radius:12px;
border:1px solid var(--muted);background:var(--card)}
::placeholder{color:var(--muted);opacity:1}
button{margin-top:1rem;border:0;background:var(--go);color:var(--on-go);font-weight:620;cursor:pointer}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
dl{margin:.8rem 0 1rem}
dt{color:var(--muted);font-size:.9375rem}
dd{margin:0 0 .6rem;white-space:pre-wrap}
.go{display:block;text-align:center;padding:.7rem;border-radius:12px;background:var(--go);color:var(--on-go);font-weight:620;
text-decoration:none}
.note,.back{color:var(--muted);font-size:.9375rem}
"""
STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")


class Site(NamedTuple):
    """The service as its pages name it, and the address to which they lead back."""

    name: str
    home: str


def form(site: Site, label: str, listed: Sequence[str] | None, action: str, csrf: str) -> str:
    """Give the page on which a signed-in person chooses an approval server."""
    return page(
        site,
        "Link your approval server",
        f"<p>You are signed in as <strong>{escape(label)}</strong>. After this, an agent can ask for single acts on "
        "this account; each one happens only when your passkey has signed it.</p>"
        f'<form method="post" action="{escape(action)}">{_chosen(listed)}'
        f'<input type="hidden" name="csrf" value="{escape(csrf)}"><button>Link this account</button></form>',
    )


def _chosen(listed: Sequence[str] | None) -> str:
    """Give what names the approval server: typed where any is taken, chosen among several, told where there is one."""
    named = '<label for="issuer">Approval server</label>'
    if listed is None:
        return f'{named}<input id="issuer" name="issuer" type="url" required placeholder="https://" autocomplete="url">'
    if len(listed) == 1:
        only = escape(listed[0])
        return f'<p>Approval server: <strong>{only}</strong></p><input type="hidden" name="issuer" value="{only}">'
    options = "".join(f'<option value="{escape(issuer)}">{escape(issuer)}</option>' for issuer in listed)
    return f'{named}<select id="issuer" name="issuer">{options}</select>'


class Ways(NamedTuple):
    """Where the page of a linked account leads: for who has no passkey left, for a further person; None without.

    `command` is what unlinks it where the account's person owns the machine too.
    """

    unlink: str | None
    more: str | None
    command: str = ""


def linked(site: Site, label: str, issuers: Sequence[str], ways: Ways, *, waits: bool) -> str:
    """Give the page of an account that is linked; `waits` says that an unlinking without a passkey was asked for."""
    unlink_uri, more_uri, command = ways
    more = ""
    if more_uri is not None:
        more = f'<p><a href="{escape(more_uri)}">Have another person approve too</a></p>'
    listed = " and ".join(f"<strong>{escape(issuer)}</strong>" for issuer in issuers)
    if unlink_uri is None:
        lost = "Where all of them are lost, only our own support can unlink it."
    elif waits:
        lost = f'Someone has asked to unlink it without one: <a href="{escape(unlink_uri)}">see or cancel that</a>.'
    else:
        lost = f'Where all of them are lost, <a href="{escape(unlink_uri)}">unlink it without</a>, in 72 hours.'
    way = (
        "Unlinking is itself an act that one of your passkeys approves: have an agent ask for "
        f"<code>oneact.unlink</code>. {lost}"
    )
    if command:
        way = (
            f"To unlink it, type <code>{escape(command)}</code> in a terminal on the machine on which it runs, then "
            "choose “Take no more requests” under Services at the approval server."
        )
    return page(
        site,
        "Your account is linked",
        f"<p>Agents can ask at {listed} for single acts on the account <strong>{escape(label)}</strong>; each one "
        f'waits for your passkey.</p><p class="note">{way}</p>{more}',
    )


def proposed(site: Site, label: str, issuer: str, code: str, action: str) -> str:
    """Give the page of a person who has linked to an account on which others approve: what these have to name."""
    return page(
        site,
        "Not yet an approver",
        f"<p>Someone who approves for <strong>{escape(label)}</strong> has to name you within ten minutes: have their "
        f"agent ask for <code>{escape(action)}</code> with <code>issuer</code> <strong>{escape(issuer)}</strong> and "
        f"<code>approver</code> <strong>{escape(code)}</strong>.</p><p>Read them this code yourself, and have them "
        "compare it with what their approval page shows. It will not be shown again.</p>",
    )


def message(site: Site, title: str, text: str, login_uri: str | None = None) -> str:
    """Give a page that says one thing, with the way to the service's own sign-in where that helps."""
    way = "" if login_uri is None else f'<p><a href="{escape(login_uri)}">Sign in</a></p>'
    return page(site, title, f"<p>{escape(text)}</p>{way}")


def page(site: Site, title: str, body: str) -> str:
    """Give a page of the service around a body that is HTML."""
    name = escape(site.name)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)} · {name}</title><style>{_STYLE}</style></head><body><header><p>{name}</p></header>"
        f"<main><section><h1>{escape(title)}</h1>{body}</section>"
        f'<p class="back"><a href="{escape(site.home)}">Back to {name}</a></p></main></body></html>'
    )
