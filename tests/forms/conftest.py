from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.forms.air import Air, Browser, person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.visitor import Visitor


@pytest.fixture(params=["fastapi", "flask", "django"])
def air(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Air]:
    found = Air(tmp_path, request.param)
    with found.running():
        yield found


@pytest.fixture
def ada(air: Air) -> Visitor:
    """The person behind the account ada, with a passkey."""
    return person(air)


@pytest.fixture
def browser(air: Air) -> Iterator[Browser]:
    found = Browser(air)
    yield found
    found.close()
