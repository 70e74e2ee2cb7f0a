"""A Django site with its approval server embedded: its pages beside Django's, the sign-in Django's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import path

from oneact.embedded import Embedded
from oneact.service.django import Act, Guard, LocalAccount
from tests.embedded.conftest import visitor
from tests.embedded.notes import ACCOUNT, SIGNED_IN, Notes, enrol, sign_in
from tests.embedded.test_whole import delete, paired
from tests.service import django_site
from tests.service.serving import by_waitress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from django.http import HttpRequest

    from tests.server.visitor import Visitor


def current_user(request: HttpRequest) -> LocalAccount | None:
    account = request.COOKIES.get(ACCOUNT)
    return None if account is None else LocalAccount(account, account.title(), int(request.COOKIES[SIGNED_IN]))


class DjangoNotes(Notes):
    """The same service in Django."""

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

        @self.sync.action("delete_note", intent="Delete a note", summary="Delete {name}", method="DELETE")
        def remove(name: str, act: Act) -> dict[str, str]:
            self.done.append((act.account, name))
            return {"deleted": name}

        self.django = django_site.serving(self.sync, [*self.sync.urls, path("notes/<name>", remove)])


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[DjangoNotes]:
    found = DjangoNotes(tmp_path)
    with by_waitress(found.django, found.port):
        yield found
    found.sync.stop_sync()


@pytest.fixture
def person(notes: DjangoNotes) -> Visitor:
    found = visitor(notes)
    sign_in(found, "ada")
    return found


async def test_an_act_is_approved_at_the_sites_own_server_and_done_once(
    notes: DjangoNotes, person: Visitor, tmp_path: Path
) -> None:
    enrol(person)
    assert await delete(notes, person, paired(notes, person, tmp_path), "shopping") == {"deleted": "shopping"}
    assert notes.done == [("ada", "shopping")]
