"""Writes evidence of today into `tests/tlog/kept`, to verify for ever: `python -m tests.tlog.keep 2026-11`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.tlog.lived import command, live

KEPT = Path(__file__).parent / "kept"


def main(month: str) -> None:
    """Live once and keep the evidence of three outcomes."""
    KEPT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        lived = live(Path(folder))
        for name in ("executed", "denied", "unused"):
            code, output = command("log", "evidence", lived.requests[name], str(lived.database))
            if code:
                raise SystemExit(output)
            (KEPT / f"{month.replace('-', '')}-{name}.json").write_text(output)


if __name__ == "__main__":
    main(sys.argv[1])
