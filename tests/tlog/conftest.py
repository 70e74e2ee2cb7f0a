from __future__ import annotations

from pathlib import Path

import pytest

from tests.tlog.lived import Lived, live


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    return live(tmp_path_factory.mktemp("lived"))


@pytest.fixture
def lived(original: Lived, tmp_path: Path) -> Lived:
    """A copy that a test may tamper with."""
    return original.copied(tmp_path / "copy")
