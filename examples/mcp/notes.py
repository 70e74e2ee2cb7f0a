"""Notes over MCP: programs read them as they like, and a person approves what is written or thrown away.

    oneact serve                      # an approval server, http://localhost:8400; make an account: /signup
    python -m examples.mcp.notes      # http://localhost:8730: sign in, link the approval server

The page of whoever is signed in shows the lines for the configuration of an MCP client.
"""

from __future__ import annotations

import html
import json
import os
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import uvicorn
from fastmcp import FastMCP
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse

from examples.looks import page
from oneact.service.mcp import Act, Guard, LocalAccount

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from oneact.service.exchange import Request as Call

URL: Final = os.environ.get("NOTES_URL", "http://localhost:8730")
FOLDER: Final = Path(os.environ.get("NOTES_FOLDER", "var/mcp-notes"))
SITE, COOKIE, KEY = "✎ Example Notes", "notes-" + URL.rpartition(":")[2], "Notes-Key"
Name = Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$", description="The note's name")]


class People:
    """Who is signed in with a browser, and whose each program is."""

    def __init__(self) -> None:
        self.browsers: dict[str, LocalAccount] = {}
        self.programs: dict[str, LocalAccount] = {}

    def account(self, call: Call) -> LocalAccount | None:
        """Give whose a request is. A program's key opens the tools alone: it links no approval server."""
        if call.path == "/mcp":
            return self.programs.get(call.value(KEY.lower()) or "")
        return self.browsers.get(call.cookie(COOKIE) or "")

    def sign_in(self, name: str) -> str:
        """Sign somebody in; give the browser's session."""
        session, account = secrets.token_urlsafe(24), LocalAccount(name.lower(), name, int(time.time()))
        self.browsers[session] = account
        if account.id not in {found.id for found in self.programs.values()}:
            self.programs[secrets.token_urlsafe(24)] = account
        return session


people = People()
server = FastMCP("Notes")
guard = Guard(
    resource=URL,
    name="Example Notes",
    key=FOLDER / "notes.jwk",
    store=FOLDER / "guard.db",
    account=people.account,
    issuers=[os.environ.get("NOTES_APPROVAL_SERVER", "http://localhost:8400")],
    login_uri="/login",
)


class Lost(BaseModel):
    """What the notes promise of a note that is thrown away: this is what it said."""

    text: str


def _file(name: str) -> Path:
    return FOLDER / "notes" / f"{name}.txt"


@server.tool
def list_notes() -> list[str]:
    """Name the notes."""
    return sorted(file.stem for file in (FOLDER / "notes").glob("*.txt"))


@server.tool
def read_note(name: Name) -> str:
    """Read a note."""
    return _file(name).read_text("utf-8") if _file(name).exists() else "There is no such note."


@server.tool
@guard.tool(intent="Write a note", summary="Write {name}", display={"name": "Note", "text": "Its whole new text"})
def write_note(name: Name, text: str) -> str:
    """Write a note, in place of what it says now."""
    _file(name).write_text(text, "utf-8")
    return f"Wrote {name}."


def said(name: str) -> Lost:
    """State what is lost; where the note says something else by then, the approval is no longer good for it."""
    return Lost(text=_file(name).read_text("utf-8") if _file(name).exists() else "")


def still(name: str, terms: dict[str, str]) -> bool:
    """Tell whether the note still says what was stated."""
    return said(name).text == terms["text"]


@server.tool
@guard.tool(
    intent="Throw a note away", summary="Throw {name} away", terms=said, terms_hold=still, display={"name": "Note"}
)
def delete_note(name: Name, act: Act) -> str:
    """Throw a note away."""
    _file(name).unlink(missing_ok=True)
    return f"{act.account} threw {name} away."


@server.custom_route("/", methods=["GET"])
async def home(request: Request) -> Response:
    """Show what a program needs to know."""
    account = people.browsers.get(request.cookies.get(COOKIE, ""))
    if account is None:
        return page(SITE, "Home", "<section><a href=/login>Sign in</a></section>")
    key = next(key for key, found in people.programs.items() if found.id == account.id)
    entry = {"mcpServers": {"notes": {"type": "streamable-http", "url": URL + "/mcp", "headers": {KEY: key}}}}
    shown = html.escape(json.dumps(entry, indent=2))
    link = "<section><a href=/oneact/link>Link an approval server</a></section>"
    return page(SITE, "Home", f"<section><h2>For your MCP client</h2><pre id=entry>{shown}</pre></section>{link}")


@server.custom_route("/login", methods=["GET", "POST"])
async def login(request: Request) -> Response:
    """Sign in. This is an example and asks for no password; you have a sign-in of your own."""
    if request.method == "GET":
        field = "<label>Name <input type=text name=name value=Ada required></label><p><button>Sign in</button></p>"
        return page(SITE, "Sign in", f"<h1>Sign in</h1><section><form method=post>{field}</form></section>")
    answer = RedirectResponse("/", 303)
    session = people.sign_in(str((await request.form())["name"])[:40])
    answer.set_cookie(COOKIE, session, httponly=True, samesite="lax")
    return answer


if __name__ == "__main__":
    (FOLDER / "notes").mkdir(parents=True, exist_ok=True)
    guard.protect(server)
    app = guard.around(server.http_app(path="/mcp"), "/mcp")
    uvicorn.run(app, host="127.0.0.1", port=int(URL.rpartition(":")[2]), log_level="warning")
