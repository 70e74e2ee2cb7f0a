"""How the examples' pages look: one style, which their policy allows by its hash, and no script."""

from __future__ import annotations

import base64
import hashlib
import html

from fastapi.responses import HTMLResponse

_STYLE = """
:root{color-scheme:light dark;--ink:light-dark(#172033,#e8ecf4);--paper:light-dark(#f5f7fb,#10141d);
--card:light-dark(#fff,#191f2c);--line:light-dark(#d9dfeb,#2c3547);
--edge:light-dark(#76829b,#76829b);--sky:light-dark(#0b5cad,#7db8f5)}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0}
main{max-width:44rem;margin:0 auto;padding:1.5rem 1rem 4rem}
header{background:var(--card);border-bottom:1px solid var(--line);padding:.9rem 1rem;font-weight:650}
header a{color:inherit;text-decoration:none}header span{color:var(--sky)}
section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1.1rem 1.2rem;margin:1rem 0}
h1{font-size:1.5rem}h2{font-size:1.05rem;margin:.1rem 0 .7rem}
label{display:block}input[type=text]{font:inherit;display:block;padding:.5rem .6rem;width:100%;border-radius:8px;
border:1px solid var(--edge);background:var(--paper);color:inherit}
.row{display:grid;grid-template-columns:1fr 1fr 1.6fr;gap:.8rem}
fieldset{border:0;padding:0;margin:1.3rem 0}legend{font-weight:650;padding:0;margin-bottom:.3rem}
.choice{display:flex;gap:.7rem;padding:.35rem 0;align-items:baseline}
button{font:inherit;font-weight:600;min-height:48px;padding:.6rem 1.1rem;border:0;border-radius:10px;
background:var(--sky);color:light-dark(#fff,#0b1420);cursor:pointer}a{color:var(--sky)}
:focus-visible{outline:3px solid var(--sky);outline-offset:2px}
table{border-collapse:collapse;width:100%}td,th{padding:.4rem .5rem;text-align:left;border-top:1px solid var(--line)}
ul{list-style:none;margin:0;padding:0}li{padding:.6rem 0;border-top:1px solid var(--line);overflow-wrap:anywhere}
b{font-weight:600}.good{color:light-dark(#166b3a,#7fdca4)}.bad{color:light-dark(#a3261b,#ff9c92)}
"""
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def page(site: str, title: str, body: str, refresh: bool = False) -> HTMLResponse:  # noqa: FBT001, FBT002 - one small page
    """Give a page of a site, which is named by a sign and a name; one that waits for something loads itself again."""
    sign, _, name = site.partition(" ")
    again = '<meta http-equiv="refresh" content="3">' if refresh else ""
    return HTMLResponse(
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>{again}"
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>"
        f"<header><a href=/><span aria-hidden=true>{html.escape(sign)}</span> {html.escape(name)}</a></header>"
        f"<main>{body}</main></html>",
        headers={"Cache-Control": "no-store", "Content-Security-Policy": _POLICY},
    )
