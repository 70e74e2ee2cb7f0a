"""Fixtures: a shelf served by either library over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.service.mcp.keyed import Keyed
from tests.service.mcp.shelf import FACES, REVISIONS, Shelf, person

from oneact.testing import InProcessApprover

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.visitor import Visitor


@pytest.fixture(params=FACES)
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    found = Shelf(tmp_path, request.param)
    with found.running():
        yield found


@pytest.fixture(params=list(REVISIONS))
def revision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ada(shelf: Shelf) -> Visitor:
    """The person behind the account ada, with a passkey."""
    return person(shelf)


@pytest.fixture(params=FACES)
def keyed_shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    """A shelf whose account ada is linked to a person in this process."""
    approver = InProcessApprover()
    found = Shelf(tmp_path, request.param, issuers=[approver.issuer])
    approver.link(found.guard, "ada")
    found.approver = approver
    with found.running():
        yield found


@pytest.fixture
def keyed(keyed_shelf: Shelf, revision: str) -> Keyed:
    """A program with a key, of either revision."""
    return Keyed(keyed_shelf, revision)
