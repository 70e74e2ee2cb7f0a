"""A Flask application with its approval server embedded: the loop is the guard's own, the sign-in is Flask's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, request

from oneact.embedded import Embedded
from oneact.errors import Reason, Refusal
from oneact.service.flask import Act, Guard, LocalAccount
from tests.embedded.conftest import visitor
from tests.embedded.notes import ACCOUNT, SIGNED_IN, Notes, enrol, sign_in
from tests.embedded.test_whole import delete, paired
from tests.service.serving import by_waitress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.visitor import Visitor


def current_user(_: object) -> LocalAccount | None:
    account = request.cookies.get(ACCOUNT)  # Flask's own, in the thread of its request
    return None if account is None else LocalAccount(account, account.title(), int(request.cookies[SIGNED_IN]))


class FlaskNotes(Notes):
    """The same service in Flask."""

    def __post_init__(self) -> None:
        self.resource = f"http://localhost:{self.port}{self.path}"
        self.embedded = Embedded(self.folder / "approve", path=self.at)
        settings: dict[str, Any] = {
            "resource": self.resource, "name": "Notes", "key": self.folder / "notes.jwk",
            "store": self.folder / "notes.db", "account": current_user, "issuers": self.embedded,
        }  # fmt: skip
        self.sync = Guard(**settings)
        self.guard = self.sync  # type: ignore[assignment]  # another face of the same
        self.url = self.embedded.issuer
        self.flask = Flask(__name__)
        self.flask.register_blueprint(self.sync.blueprint)

        @self.flask.delete("/notes/<name>")
        @self.sync.action("delete_note", intent="Delete a note", summary="Delete {name}")
        def remove(name: str, act: Act) -> dict[str, str]:
            self.done.append((act.account, name))
            return {"deleted": name}


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[FlaskNotes]:
    found = FlaskNotes(tmp_path)
    with by_waitress(found.flask, found.port):
        yield found
    found.sync.stop_sync()


@pytest.fixture
def person(notes: FlaskNotes) -> Visitor:
    found = visitor(notes)
    sign_in(found, "ada")
    return found


async def test_an_act_is_approved_at_the_applications_own_server_and_done_once(
    notes: FlaskNotes, person: Visitor, tmp_path: Path
) -> None:
    enrol(person)
    assert await delete(notes, person, paired(notes, person, tmp_path), "shopping") == {"deleted": "shopping"}
    assert notes.done == [("ada", "shopping")]


async def test_a_process_forked_off_a_running_one_has_no_approval_server(notes: FlaskNotes) -> None:
    assert notes.flask.test_client().get("/oneact/actions").status_code == 200
    notes.sync._process = os.getpid() - 1  # as a child would find it
    with pytest.raises(Refusal) as refused:
        await notes.sync.start()
    assert refused.value.reason is Reason.STORE_UNAVAILABLE
    notes.sync._process = os.getpid()
