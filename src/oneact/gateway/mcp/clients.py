"""The configuration files of MCP clients: the proxy put in front of a server in them, and taken out again."""

from __future__ import annotations

import difflib
import json
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from oneact.gateway.mcp import places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oneact.gateway.mcp.known import Client

Entry = dict[str, Any]

_PROXY: Final = "mcp-proxy"
_GEMINI: Final = "httpUrl"
_ADDRESSES: Final = frozenset({"url", "serverUrl", _GEMINI})
_RECORD: Final = "installed.json"
_BACKUPS: Final = 1000
_INDENT: Final = re.compile(r"\n([ \t]+)\"")


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one file: its text before, None where it is absent, and after; what is put back by an uninstall."""

    file: Path
    before: str | None
    after: str
    server: str
    original: Entry | None

    def difference(self) -> str:
        """Show it."""
        old, new = (self.before or "").splitlines(), self.after.splitlines()
        return "\n".join(difflib.unified_diff(old, new, str(self.file), f"{self.file} (new)", lineterm=""))


def install(client: Client, file: Path, server: str, command: Sequence[str], options: Sequence[str]) -> Change:
    """Put the proxy in front of a server: of the entry `server`, or of a `command` under that name.

    `options` are the proxy's own. Raises ValueError for a file that is not plain JSON, and for a server that is absent,
    there already, proxied already, or reached with headers.
    """
    before, document = _read(file)
    servers = _servers(document, client.member)
    original = servers.get(server)
    if command and original is not None:
        raise ValueError(f"{file} has a server {server} already; leave the command out to put the proxy in front of it")
    if not command and original is None:
        found = ", ".join(servers) or "it has none"
        raise ValueError(f"{file} has no server {server}: {found}; to add it, say after -- what starts it")
    servers[server] = _proxied(client, server, original or {"command": command[0], "args": list(command[1:])}, options)
    return Change(file, before, _written(document, before), server, original)


def uninstall(client: Client, file: Path, server: str) -> Change:
    """Take the proxy out of the entry `server`, and the entry too where `install` has made it.

    Raises ValueError for a file that is not plain JSON, and an entry without a proxy.
    """
    before, document = _read(file)
    servers = _servers(document, client.member)
    found = servers.get(server)
    if found is None or not _is_proxied(found):
        raise ValueError(f"{file}: there is no proxy in front of {server}")
    record = _record().get(_place(file, server))
    if record is None:
        servers[server] = _plain(client, found)
    elif record["original"] is None:
        del servers[server]
    else:
        servers[server] = record["original"]
    return Change(file, before, _written(document, before), server, None)


def write(change: Change, *, undo: bool = False) -> Path | None:
    """Make a change whole, and give the copy of what was there before, None where nothing was.

    Raises OSError where the file has changed meanwhile.
    """
    file = change.file.resolve()
    now = file.read_text("utf-8") if file.exists() else None
    if now != change.before:
        raise OSError(f"{file} has changed meanwhile; nothing was written")
    file.parent.mkdir(parents=True, exist_ok=True)
    backup = None
    if now is not None:
        backup = next(path for number in range(_BACKUPS) if not (path := _backup(file, number)).exists())
        places.write(backup, now.encode())
    mode = stat.S_IMODE(file.stat().st_mode) if now is not None else 0o600
    places.write(file, change.after.encode())  # readable by nobody else at any moment: it may hold credentials
    file.chmod(mode)
    kept = _record()
    kept[_place(change.file, change.server)] = {"original": change.original}
    if undo:
        del kept[_place(change.file, change.server)]
    places.write(places.made("mcp") / _RECORD, json.dumps(kept, indent=1).encode())
    return backup


def _read(file: Path) -> tuple[str | None, dict[str, Any]]:
    if not file.exists():
        return None, {}
    text = file.read_text("utf-8")
    try:
        document = json.loads(text or "{}", object_pairs_hook=_once)
    except ValueError as error:
        raise ValueError(f"{file} is not plain JSON ({error}); it is left alone: change it by hand") from error
    if not isinstance(document, dict):
        raise ValueError(f"{file} is no object; it is left alone")  # noqa: TRY004 - one kind of error
    return text, document


def _servers(document: dict[str, Any], member: str) -> dict[str, Any]:
    found = document.setdefault(member, {})
    if not isinstance(found, dict):
        raise ValueError(f"{member} is no object; the file is left alone")  # noqa: TRY004 - one kind of error
    return found


def _proxied(client: Client, server: str, entry: Entry, options: Sequence[str]) -> Entry:
    """Give an entry that starts the proxy in front of what an entry names; all else in it stays."""
    if _is_proxied(entry):
        raise ValueError(f"the proxy stands in front of {server} already")
    if entry.get("headers"):
        raise ValueError(f"{server} is reached with headers: name them in a policy, and give that with --config")
    rest = {name: value for name, value in entry.items() if name not in {"command", "args", "type", *_ADDRESSES}}
    url = entry.get(client.address) or entry.get("url")
    if entry.get("type") == "sse" or (client.address == _GEMINI and _GEMINI not in entry and "url" in entry):
        raise ValueError(f"{server} is reached over SSE, which the proxy does not speak; most have streamable HTTP too")
    if isinstance(url, str):
        reached = ["--url", url]
    elif "command" in entry:
        reached = ["--", str(entry["command"]), *map(str, entry.get("args", []))]
    else:
        raise ValueError(f"{server} is neither started by a command nor reached at an address")
    command, *first = _own_command()
    arguments = [*first, _PROXY, "--name", re.sub(r"[^A-Za-z0-9 ._-]+", "-", server)[:60], *options, *reached]
    kind = {"type": client.kind} if client.kind else {}
    return {**kind, "command": command, "args": arguments, **rest}


def _plain(client: Client, entry: Entry) -> Entry:
    """Give the entry in front of which the proxy stands, where no record of it is left."""
    arguments = list(map(str, entry["args"]))
    rest = {name: value for name, value in entry.items() if name not in {"command", "args"}}
    if "--" in arguments:
        command, *more = arguments[arguments.index("--") + 1 :]
        return {"command": command, "args": more, **rest}
    if "--url" in arguments:
        kind = {"type": client.remote} if client.remote else {}
        others = {name: value for name, value in rest.items() if name != "type"}
        return {**kind, client.address: arguments[arguments.index("--url") + 1], **others}
    raise ValueError("the entry's own policy says how its server is reached; change it by hand")


def _is_proxied(entry: object) -> bool:
    arguments = entry.get("args") if isinstance(entry, dict) else None
    return isinstance(arguments, list) and _PROXY in arguments[:3]


def _own_command() -> list[str]:
    """Give what starts this very program: clients look for programs elsewhere than a terminal does."""
    script = Path(sys.executable).with_name("oneact.exe" if sys.platform == "win32" else "oneact")
    return [str(script)] if script.exists() else [sys.executable, "-m", "oneact.cli"]


def _written(document: dict[str, Any], before: str | None) -> str:
    found = _INDENT.search(before or "")
    return json.dumps(document, indent=found[1] if found else 2, ensure_ascii=False) + "\n"


def _record() -> dict[str, Any]:
    found = places.read_json(places.home() / "mcp" / _RECORD)
    return found if isinstance(found, dict) else {}


def _place(file: Path, server: str) -> str:
    return json.dumps([str(file.resolve()), server])


def _backup(file: Path, number: int) -> Path:
    return file.with_name(f"{file.name}.before-oneact" + (f".{number}" if number else ""))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found
