"""Notes, of which an agent can ask to delete one, and only a passkey lets it."""

import re
import time

from flask import Flask, redirect, request, session

from oneact.embedded import Embedded
from oneact.service.flask import Act, Guard, LocalAccount

app = Flask(__name__)
app.secret_key = "a demo's"  # noqa: S105 - yours comes from where your secrets are
notes = {"shopping": "milk, bread", "plan": "rest"}


def current_user(_: object) -> LocalAccount | None:
    """Give who is signed in; any web site has something like it."""
    return LocalAccount(session["user"], session["user"], session["since"]) if "user" in session else None


guard = Guard(
    resource="http://localhost:8600",
    name="Notes",
    key="var/notes/notes.jwk",
    store="var/notes/notes.db",
    account=current_user,
    issuers=Embedded("var/notes/approve"),  # the approval server, at /approve of this very application
    login_uri="/login?next={next}",
)
app.register_blueprint(guard.blueprint)


@app.delete("/notes/<name>")
@guard.action("delete_note", intent="Delete a note", summary="Delete {name} for good")
def delete(name: str, act: Act) -> dict[str, object]:
    """Delete a note; runs only with a verified approval, and once."""
    return {"deleted": name, "was": notes.pop(name, None), "for": act.account}


@app.get("/")
def home() -> dict[str, object]:
    """List the notes."""
    return {"notes": notes, "agents ask at": guard.own_server}


@app.route("/login", methods=["GET", "POST"])
def login() -> object:
    """Sign in; these notes are a demo's and ask for no password."""
    if request.method == "POST":
        session["user"], session["since"] = request.form["name"], int(time.time())
        target = request.args.get("next", "/")  # never to another site
        return redirect(target if re.fullmatch(r"/(\w[!-~]*)?", target) else "/")
    return "<form method=post><input name=name value=ada required> <button>Sign in</button></form>"


if __name__ == "__main__":
    app.run(port=8600)
