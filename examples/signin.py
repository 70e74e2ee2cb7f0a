"""The sign-in of the smaller examples: it takes any name. A service has its own, and keeps it."""

from __future__ import annotations

import html
import secrets
import time
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from examples.looks import page
from oneact.service import LocalAccount


class SignIn:
    """A sign-in at one site; `site` is a sign and a name, `resource` gives the cookie a name of its own."""

    def __init__(self, site: str, resource: str) -> None:
        self._site = site
        self._cookie = "example-" + resource.rpartition(":")[2].strip("/")
        self._sessions: dict[str, LocalAccount] = {}
        self.router = APIRouter()
        self.router.add_api_route("/login", self._page)
        self.router.add_api_route("/login", self._sign_in, methods=["POST"])

    def account(self, request: Request) -> LocalAccount | None:
        """Give the account that is signed in."""
        return self._sessions.get(request.cookies.get(self._cookie, ""))

    def home(self, request: Request, heading: str, rows: list[tuple[str, ...]]) -> HTMLResponse:
        """Show who is signed in, and rows of texts under a heading."""
        found = self.account(request)
        if found is None:
            return page(self._site, "Home", "<section><a href=/login>Sign in</a></section>")
        cells = ("".join(f"<td>{html.escape(text)}" for text in row) for row in rows)
        table = f"<table>{''.join(f'<tr>{row}' for row in cells)}</table>" if rows else "<p>None yet.</p>"
        link = "<section><a href=/oneact/link>Link an approval server</a></section>"
        return page(self._site, "Home", f"<section><h2>{html.escape(heading)}</h2>{table}</section>{link}")

    async def _page(self) -> HTMLResponse:
        form = (
            "<h1>Sign in</h1><section><form method=post><label>Name <input type=text name=name value=ada required>"
            "</label><p>This is an example and asks for no password.</p><button>Sign in</button></form></section>"
        )
        return page(self._site, "Sign in", form)

    async def _sign_in(self, name: Annotated[str, Form(max_length=40)]) -> RedirectResponse:
        token = secrets.token_urlsafe(24)
        self._sessions[token] = LocalAccount(name.strip().lower(), name.strip(), int(time.time()))
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, token, httponly=True, samesite="lax")
        return answer
