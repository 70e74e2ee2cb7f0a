from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.embedded.notes import Notes, sign_in
from tests.server.peers import RunningServer, serving
from tests.server.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    found = Notes(tmp_path)
    with serving(found.app, found.port):
        yield found


@pytest.fixture
def person(notes: Notes) -> Visitor:
    """A person who has just signed in at the service as ada."""
    found = visitor(notes)
    sign_in(found, "ada")
    return found


def visitor(notes: Notes) -> Visitor:
    """A person with a passkey of the service's host."""
    return Visitor(RunningServer(notes.url, None, notes.guard.now, notes.database))  # type: ignore[arg-type]  # another app, by whose clock
