"""A service with accounts of its own that has its approval server embedded, and a person who uses both."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request

from oneact.embedded import Embedded
from oneact.service.fastapi import Act, Guard, LocalAccount
from tests.ports import free_port
from tests.server.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ACCOUNT = "notes-account"
SIGNED_IN = "notes-signed-in"


def current_user(request: Request) -> LocalAccount | None:
    """The service's own sign-in, of which a test says all by cookies."""
    account = request.cookies.get(ACCOUNT)
    return None if account is None else LocalAccount(account, account.title(), int(request.cookies[SIGNED_IN]))


@dataclass
class Notes:
    """The service: where it stands, what was done, whom it notified."""

    folder: Path
    port: int = field(default_factory=free_port)
    path: str = ""
    at: str = "/approve"
    more: dict[str, Any] = field(default_factory=dict)
    done: list[tuple[str, str]] = field(default_factory=list)
    notices: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.resource = f"http://localhost:{self.port}{self.path}"
        self.embedded = Embedded(self.folder / "approve", path=self.at)
        settings: dict[str, Any] = {
            "resource": self.resource,
            "name": "Notes",
            "key": self.folder / "notes.jwk",
            "store": self.folder / "notes.db",
            "account": current_user,
            "issuers": self.embedded,
            "login_uri": "/login?next={next}",
            "notify": lambda account, event: self.notices.append((account, event)),
            **self.more,
        }
        self.guard = Guard(**settings)
        self.url = self.embedded.issuer
        self.app = FastAPI()
        self.app.include_router(self.guard.router)

        @self.app.delete("/notes/{name}")
        @self.guard.action("delete_note", intent="Delete a note", summary="Delete {name}")
        async def delete(name: str, act: Act) -> dict[str, str]:
            self.done.append((act.account, name))
            return {"deleted": name}

    @property
    def database(self) -> Path:
        return self.folder / "approve" / "approve.db"


def sign_in(person: Visitor, account: str, ago: int = 0, clock: Callable[[], float] = time.time) -> None:
    """Sign in at the service, `ago` seconds ago by its `clock`."""
    person.http.cookies.clear()
    person.http.cookies.set(ACCOUNT, account, domain="localhost.local")
    person.http.cookies.set(SIGNED_IN, str(int(clock()) - ago), domain="localhost.local")


def enrol(person: Visitor) -> None:
    """Make the first passkey and sign the roster with it."""
    begun = person.post("/enrol/begin").json()
    signed = person.sign(person.finish_registration("/enrol/created", begun).json())
    answer = person.post("/enrol/finish", **signed)
    assert answer.status_code == 200, answer.text
