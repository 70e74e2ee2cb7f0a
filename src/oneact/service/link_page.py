"""The service's few pages around linking: no script, nothing from elsewhere, readable on a phone."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_STYLE: Final = (
    ":root{color-scheme:light dark}body{font:1.05rem/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;"
    "padding:0 1rem}label{display:block;margin:1rem 0 .3rem}input,select,button{font:inherit;padding:.55rem;"
    "width:100%;box-sizing:border-box}button{margin-top:1.2rem;cursor:pointer}code{overflow-wrap:anywhere}"
)
STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")


def form(service: str, label: str, listed: Sequence[str] | None, action: str, csrf: str) -> str:
    """Give the page on which a signed-in person chooses an approval server."""
    if listed is None:
        field = '<input id="issuer" name="issuer" type="url" required placeholder="https://" autocomplete="url">'
    else:
        options = "".join(f'<option value="{escape(issuer)}">{escape(issuer)}</option>' for issuer in listed)
        field = f'<select id="issuer" name="issuer">{options}</select>'
    return _page(
        f"Link {service} to your approval server",
        f"<p>You are signed in as <strong>{escape(label)}</strong>. After this, an agent can ask for single acts on "
        "this account; each one happens only when your passkey has signed it.</p>"
        f'<form method="post" action="{escape(action)}"><label for="issuer">Approval server</label>{field}'
        f'<input type="hidden" name="csrf" value="{escape(csrf)}"><button>Link this account</button></form>',
    )


def linked(service: str, label: str, issuers: Sequence[str]) -> str:
    """Give the page of an account that is linked."""
    listed = "".join(f"<li><code>{escape(issuer)}</code></li>" for issuer in issuers)
    return _page(
        f"{service} is linked",
        f"<p><strong>{escape(label)}</strong> is linked to:</p><ul>{listed}</ul><p>Unlinking is itself an act that one "
        "of your passkeys approves: have an agent ask for <code>oneact.unlink</code>. Where all of them are lost, only "
        "our own support can unlink it.</p>",
    )


def message(title: str, text: str, login_uri: str | None = None) -> str:
    """Give a page that says one thing, with the way to the service's own sign-in where that helps."""
    way = "" if login_uri is None else f'<p><a href="{escape(login_uri)}">Sign in</a></p>'
    return _page(title, f"<p>{escape(text)}</p>{way}")


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style><main><h1>{escape(title)}</h1>{body}</main></html>"
    )
