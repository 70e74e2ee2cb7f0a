"""One look of a witness at a log: is it still the one whose checkpoint was kept?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneact.cli.log_sources import get, read_keys, verified
from oneact.errors import Reason, Refusal
from oneact.log import tiles, tree

if TYPE_CHECKING:
    from pathlib import Path

    from oneact.log.checkpoint import Checkpoint
    from oneact.log.tiles import Tile


def look(address: str, keep: Path, keys: list[str]) -> str:
    """Fetch the checkpoint, prove that it continues the kept one, keep it; give a line that says so.

    Beside the kept checkpoint stands its key, in a file of that name with `.key`. Refuses `log_signature`,
    `log_consistency`, `metadata_unreachable`.
    """
    note = get(f"{address}/checkpoint").decode()
    lines, trusted = _keys(address, keep, keys)
    latest = verified(note, lines)
    if keep.exists():
        _continues(address, verified(keep.read_text(), lines), latest)
    _write(keep, note)
    _write(keep.with_name(keep.name + ".key"), "".join(f"{line}\n" for line in lines))
    return f"passed  {latest.origin}: {latest.size} entries{trusted}"


def _keys(address: str, keep: Path, given: list[str]) -> tuple[list[str], str]:
    """Give the keys to verify by: those given, else those kept, else those that the log names, taken on trust."""
    beside = keep.with_name(keep.name + ".key")
    if given:
        return [verifier.line() for verifier in read_keys(given)], ""
    if beside.exists():
        return beside.read_text().split(), ""
    lines = get(f"{address}/key").decode().split()
    return lines, f"; its key is taken on trust: {' '.join(lines)}"


def _continues(address: str, kept: Checkpoint, latest: Checkpoint) -> None:
    """Refuse a log that does not begin with the tree that was kept, or has become smaller."""
    if latest.size < kept.size:
        raise Refusal(Reason.LOG_CONSISTENCY, f"{latest.size} entries now, {kept.size} before")

    def octets(tile: Tile) -> bytes:
        return get(f"{address}/tile/{tile.path()}")

    read = tiles.reader(octets, latest.size)
    proof = tree.consistency(read, kept.size, latest.size)
    tree.check_consistency(kept.size, kept.root, latest.size, latest.root, proof)


def _write(file: Path, text: str) -> None:
    fresh = file.with_name(file.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)
