"""The sidecar's configuration: a TOML file with the guard's settings, the service's actions and its reads.

A mistake in it is a ValueError that names the member, at the start.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from oneact.protocol.action import Rule
from oneact.service import LINKED, Beside, actions, readers
from oneact.service.endpoints import ACT_PATH
from oneact.service.guarded import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from oneact.protocol.action import Action
    from oneact.protocol.reading import Read

_WORDS: Final = {str: "a text", list: "an array", dict: "a table", int: "a whole number", bool: "true or false"}
SETTINGS: Final[dict[str, tuple[type, ...]]] = {
    "resource": (str,), "name": (str,), "key": (str,), "store": (str,), "issuers": (list, str, dict),
    "private_hosts": (list,), "login_uri": (str,), "terms_per_minute": (int,), "actions": (dict,), "reads": (dict,),
}  # fmt: skip
ACTION: Final[dict[str, tuple[type, ...]]] = {
    "intent": (str,), "summary": (str,), "schema": (dict,), "terms": (dict,), "sources": (dict,), "display": (dict,),
    "method": (str,), "path": (str,), "reversible": (bool,), "deadline": (int,),
}  # fmt: skip
READ: Final[dict[str, tuple[type, ...]]] = {"intent": (str,), "path": (str,)}
_NEEDED: Final = ("resource", "name", "key", "store", "issuers", "actions")
_ACTION_NEEDED: Final = ("intent", "summary", "schema")
_FILES: Final = ("key", "store")
_IN_PATH: Final = re.compile(r"\{([^{}]+)\}")
_MAX_DEADLINE: Final = 3600
_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Described:
    """One action of the service; `deadline` is in seconds."""

    action: Action
    deadline: int


@dataclass(frozen=True, slots=True)
class Config:
    """What the file says: the guard's settings by their names, the actions, and the reads by theirs."""

    settings: dict[str, Any]
    actions: tuple[Described, ...]
    reads: dict[str, Read]


def load(file: Path) -> Config:
    """Read the file; paths in it are relative to its folder. Raises ValueError for what is missing or mistaken."""
    try:
        return parse(file.read_text("utf-8"), file.parent)
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def parse(text: str, folder: Path) -> Config:
    """Read the text of a configuration file that lies in `folder`."""
    found = tomllib.loads(text)
    _check("", found, SETTINGS, _NEEDED)
    described, reads = found.pop("actions"), found.pop("reads", {})
    for name in _FILES:
        found[name] = folder / found[name]
    found["issuers"] = _issuers(found["issuers"])
    return Config(
        found,
        tuple(_described(name, members) for name, members in described.items()),
        {name: _read(name, members) for name, members in reads.items()},
    )


def _issuers(value: object) -> object:
    """Give the guard's `issuers`: a list as it stands, whichever are linked, or the one server beside this service."""
    match value:
        case list():
            return value
        case LINKED.value:
            return LINKED
        case {"beside": str(issuer), **others} if not others:
            return Beside(issuer)
    raise ValueError('issuers is an array, "linked", or { beside = "https://approve.example" }')


def _described(name: str, members: object) -> Described:
    where = f"actions.{name}"
    if not isinstance(members, dict):
        raise ValueError(f"{where} is a table")  # noqa: TRY004 - one kind of error
    _check(f"{where}.", members, ACTION, _ACTION_NEEDED)
    deadline = members.get("deadline", DEADLINE)
    if not 0 < deadline <= _MAX_DEADLINE:
        raise ValueError(f"{where}.deadline is 1 to {_MAX_DEADLINE} seconds")
    path = members.get("path", ACT_PATH)
    action = actions.describe(
        name,
        intent=members["intent"],
        summary=members["summary"],
        schema=members["schema"],
        terms=members.get("terms"),
        sources=_sources(where, members, _IN_PATH.findall(path)),
        display=_display(where, members.get("display", {})),
        reversible=members.get("reversible", False),
        rule=Rule(),
        method=members.get("method", "POST"),
        path=path,
    )
    return Described(action, deadline)


def _read(name: str, members: object) -> Read:
    where = f"reads.{name}"
    if not isinstance(members, dict):
        raise ValueError(f"{where} is a table")  # noqa: TRY004 - one kind of error
    _check(f"{where}.", members, READ, tuple(READ))
    return readers.describe(name, members["intent"], members["path"])


def _sources(where: str, members: Mapping[str, Any], in_path: list[str]) -> dict[str, str]:
    """Give where each parameter comes from; what stands in the path comes from there."""
    properties, said = members["schema"].get("properties", {}), members.get("sources", {})
    for name in [*said, *in_path]:
        if name not in properties:
            raise ValueError(f"{where}: {name} is no parameter of its schema")
    found = {**dict.fromkeys(in_path, "path"), **said}
    for name, source in found.items():
        if (source == "path") != (name in in_path):
            raise ValueError(f"{where}.sources: {name} and the path do not agree")
    return found


def _display(where: str, given: Mapping[str, Any]) -> dict[str, str | tuple[str, str]]:
    found: dict[str, str | tuple[str, str]] = {}
    for name, entry in given.items():
        if isinstance(entry, str):
            found[name] = entry
        elif isinstance(entry, list) and len(entry) == _PAIR and all(isinstance(item, str) for item in entry):
            found[name] = (entry[0], entry[1])
        else:
            raise ValueError(f"{where}.display.{name} is a label, or a label and a format in an array")
    return found


def _check(
    where: str, found: Mapping[str, Any], known: Mapping[str, tuple[type, ...]], needed: tuple[str, ...]
) -> None:
    """Raise ValueError for a member that is not known, is missing, or of another type; floats and dates are none."""
    for name, value in found.items():
        if name not in known:
            raise ValueError(f"{where}{name} is not known; there are {', '.join(known)}")
        if type(value) not in known[name]:
            raise ValueError(f"{where}{name} is {' or '.join(_WORDS[kind] for kind in known[name])}")
        _check_json(f"{where}{name}", value)
    for name in needed:
        if name not in found:
            raise ValueError(f"{where}{name} is missing")


def _check_json(where: str, value: object) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_json(f"{where}.{name}", inner)
    elif isinstance(value, list):
        for inner in value:
            _check_json(where, inner)
    elif not isinstance(value, bool | int | str):
        raise ValueError(f"{where} holds {value!r}; write numbers with a fraction and dates as texts")  # noqa: TRY004 - as above
