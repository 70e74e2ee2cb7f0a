"""Notes: a small Flask application whose agents may publish a note, one approved act at a time."""

import os
import sqlite3
import time
from pathlib import Path

from flask import Flask, abort, g, redirect, request, session
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from oneact.service.flask import Act, Guard, LocalAccount

FOLDER = Path(os.environ.get("NOTES_FOLDER", "var/notes"))
app = Flask(__name__)
app.secret_key = os.environ.get("NOTES_SECRET", "only for this example")


def current_user(_: object) -> LocalAccount | None:
    """Give who is signed in, by the sign-in that you have; only the link page asks."""
    if "user" not in session:
        return None
    return LocalAccount(id=session["user"], label=session["user"].title(), auth_time=session["since"])


guard = Guard(
    resource=os.environ.get("NOTES_URL", "http://localhost:8600"),
    name="Example Notes",
    key=FOLDER / "notes.jwk",
    store=FOLDER / "guard.db",
    account=current_user,
    issuers=[os.environ.get("NOTES_APPROVAL_SERVER", "http://localhost:8400")],
    login_uri="/login",
)
app.register_blueprint(guard.blueprint)


class Note(BaseModel):
    """What an agent asks for."""

    title: str = Field(min_length=1, max_length=80)
    text: str = ""


class Audience(BaseModel):
    """What you promise."""

    readers: str


@app.before_request
def open_notes() -> None:
    """Open the database for this request; SQLite gives it to this thread alone."""
    g.notes = sqlite3.connect(FOLDER / "notes.db")
    g.notes.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, owner TEXT, title TEXT, text TEXT)")


@app.teardown_request
def close_notes(_: BaseException | None) -> None:
    """Keep what the request has changed."""
    if "notes" in g:
        g.notes.commit()
        g.notes.close()


def audience(note: Note) -> Audience:
    """State the terms: who will be able to read it."""
    return Audience(readers="everyone on the internet" if note.text else "nobody yet")


@app.post("/notes")
@guard.action("publish_note", intent="Publish a note", summary="Publish {title} for {readers}", terms=audience)
def publish(note: Note, act: Act) -> tuple[dict[str, int | None], int]:
    """Publish; runs only with a verified approval, once."""
    if g.notes.execute("SELECT 1 FROM notes WHERE owner = ? AND title = ?", (act.account, note.title)).fetchone():
        abort(409, "there is a note of that title")
    row = (act.account, note.title, note.text)
    number = g.notes.execute("INSERT INTO notes (owner, title, text) VALUES (?, ?, ?)", row).lastrowid
    return {"id": number}, 201


@app.delete("/notes/<int:number>")
@guard.action("delete_note", intent="Delete a note", summary="Delete note {number}")
def delete(number: int, act: Act) -> dict[str, int]:
    """Delete a note of the person who approved it."""
    gone = g.notes.execute("DELETE FROM notes WHERE id = ? AND owner = ?", (number, act.account)).rowcount
    if not gone:
        abort(404, "no such note of yours")
    return {"deleted": number}


@app.get("/login")
def login() -> ResponseReturnValue:
    """Sign in; a real one asks for more than a name."""
    session["user"], session["since"] = request.args.get("name", "ada"), int(time.time())
    return redirect("/oneact/link", 303)
