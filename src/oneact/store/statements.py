"""Named statements out of SQL files, with `$n` turned into what the database takes."""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

_NAME: Final = re.compile(r"^-- name: ([a-z_0-9]+)\s*$", re.MULTILINE)
_PARAMETER: Final = re.compile(r"\$([1-9][0-9]?)")


def load() -> dict[str, str]:
    """Give every statement of `store/sql/*.sql` by its name; a name given twice is a mistake and raises."""
    found: dict[str, str] = {}
    for file in sorted(resources.files("oneact.store").joinpath("sql").iterdir(), key=lambda item: item.name):
        parts = _NAME.split(file.read_text("utf-8"))
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            if name in found:
                raise ValueError(f"two statements are named {name}")
            found[name] = text.strip().rstrip(";")
    return found


def for_sqlite(text: str) -> str:
    """Write `$n` as `?n`: SQLite takes `$n` for a name and binds names by first appearance, not by their number."""
    return _PARAMETER.sub(r"?\1", text)


def migrations() -> list[tuple[int, str]]:
    """Give the numbered migrations in their order."""
    folder = resources.files("oneact.store").joinpath("migrations")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [(int(file.name.partition("_")[0]), file.read_text("utf-8")) for file in files]
