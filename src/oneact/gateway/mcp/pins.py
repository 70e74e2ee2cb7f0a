"""What a server's tools were when they were first seen: pinned, so that none is another one unnoticed."""

from __future__ import annotations

import difflib
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from oneact.gateway.mcp import places

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Tool = dict[str, Any]

MAX_TOOLS: Final = 1000
_FILE: Final = "pins.json"
_MOST_LINES: Final = 2000


@dataclass(slots=True)
class _Kept:
    """What stands in the file: the tools that hold, those seen later than the first, those that have changed since."""

    tools: dict[str, Tool] = field(default_factory=dict)
    new: set[str] = field(default_factory=set)
    changed: dict[str, Tool] = field(default_factory=dict)
    complete: bool = False


class Pins:
    """The pins of one server, in a folder that all proxies of this server share."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._file = folder, folder / _FILE
        self._stamp: tuple[int, int] | None = None
        self._kept = _Kept()

    def see(self, listed: Iterable[Tool], *, complete: bool) -> list[str]:
        """Compare what the server lists with the pins, pin what is new; gives what has changed just now.

        `complete` ends the first sight: what appears after it is new. Raises ValueError for more tools than any server
        has, or without a name.
        """
        seen = {_name(tool): _pinned(tool) for tool in listed}
        with places.locked(self._folder / "pins.lock"):
            kept = self._read()
            if len(seen | kept.tools) > MAX_TOOLS:
                raise ValueError(f"the server lists more than {MAX_TOOLS} tools")
            added = seen.keys() - kept.tools.keys()
            found = {name for name in seen.keys() - added if digest(seen[name]) != digest(kept.tools[name])}
            news = [name for name in sorted(found) if kept.changed.get(name) != seen[name]]
            if not added and not news and (kept.complete or not complete):
                return []
            kept.tools |= {name: seen[name] for name in added}
            kept.new |= added if kept.complete else set()
            kept.changed |= {name: seen[name] for name in found}
            kept.complete = kept.complete or complete
            self._write(kept)
        return news

    def tool(self, name: str) -> Tool | None:
        """Give a tool as it is pinned."""
        return self._read().tools.get(name)

    def names(self) -> list[str]:
        """Give the names of all tools that are pinned."""
        return list(self._read().tools)

    def is_new(self, name: str) -> bool:
        """Tell whether a tool appeared after the first sight of the server, and nobody has accepted it since."""
        return name in self._read().new

    def changed(self) -> list[str]:
        """Give the names of the tools that are not what is pinned."""
        return sorted(self._read().changed)

    def difference(self) -> str:
        """Show what has changed, every character that a terminal would not show made visible."""
        kept = self._read()
        lines: list[str] = []
        for name, tool in sorted(kept.changed.items()):
            lines += _compared(name, _lines(kept.tools[name]), _lines(tool))
        lines += [f"new: {name!a}" for name in sorted(kept.new)]
        return "\n".join(lines)

    def accept(self, shown: str | None = None) -> list[str]:
        """Take what the server lists now for what holds; gives the names of what has changed or was new.

        `shown` is the difference that somebody has agreed to: raises ValueError where it is another one by now.
        """
        with places.locked(self._folder / "pins.lock"):
            kept = self._read()
            if shown is not None and self.difference() != shown:
                raise ValueError("the server has changed its tools again since; look at the difference anew")
            names = sorted({*kept.changed, *kept.new})
            kept.tools |= kept.changed
            kept.changed, kept.new = {}, set()
            self._write(kept)
        return names

    def _read(self) -> _Kept:
        """Give what stands in the file, which another process may have written; read again when it is another one."""
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return self._kept if self._stamp is None else _Kept()
        stamp = found.st_mtime_ns, found.st_ino
        if stamp != self._stamp:
            members = json.loads(self._file.read_bytes())
            self._kept = _Kept(members["tools"], set(members["new"]), members["changed"], members["complete"])
            self._stamp = stamp
        return self._kept

    def _write(self, kept: _Kept) -> None:
        members = {"tools": kept.tools, "new": sorted(kept.new), "changed": kept.changed, "complete": kept.complete}
        places.write(self._file, json.dumps(members, indent=1).encode())
        found = self._file.stat()
        self._kept, self._stamp = kept, (found.st_mtime_ns, found.st_ino)


def digest(tool: Mapping[str, Any]) -> str:
    """Give the digest of a tool as it is pinned."""
    return hashlib.sha256(json.dumps(tool, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _pinned(tool: Tool) -> Tool:
    """Give what is pinned of a tool: all that a model or the proxy reads."""
    return {name: value for name, value in tool.items() if name != "_meta"}


def _name(tool: Tool) -> str:
    name = tool.get("name")
    if not isinstance(name, str) or not name:
        raise ValueError("a tool without a name")
    return name


def _lines(tool: Tool) -> list[str]:
    return json.dumps(tool, indent=2, sort_keys=True).splitlines()


def _compared(name: str, before: list[str], now: list[str]) -> list[str]:
    """Give what is different; of many lines all of them, since to find the least difference could take for ever."""
    titles = f"{name!a} as pinned", f"{name!a} now"
    if len(before) + len(now) <= _MOST_LINES:
        return list(difflib.unified_diff(before, now, *titles, lineterm=""))
    return [f"--- {titles[0]}", *(f"-{line}" for line in before), f"+++ {titles[1]}", *(f"+{line}" for line in now)]
