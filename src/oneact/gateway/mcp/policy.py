"""The policy file of one proxied server: rules for its tools, words for the person, and how the server is reached."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import yaml

from oneact.gateway import rules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from oneact.gateway.rules import Rules

MAX_OCTETS: Final = 256 * 1024
MEMBERS: Final = frozenset(
    {"name", "command", "url", "headers", "environment", "keyring", "tools", "deadline", "folder"}
)
_OF_TOOL: Final = frozenset({"rule", "intent", "summary", "labels", "reversible"})
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST: Final = 600


@dataclass(frozen=True, slots=True)
class Words:
    """What the policy says to the person of one tool: one line of intent, a summary with placeholders, labels."""

    intent: str = ""
    summary: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    reversible: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of one server.

    `command` starts it, or `url` reaches it, with `headers` whose `${NAME}` are replaced. `environment` names the
    variables that it gets of the proxy's own; None for all of them. `keyring` gives further variables, each as
    service/user of the system's keyring. `deadline` is in seconds, for one call.
    """

    rules: Rules
    words: Mapping[str, Words] = field(default_factory=dict)
    name: str = ""
    command: tuple[str, ...] = ()
    url: str = ""
    folder: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    environment: tuple[str, ...] | None = None
    keyring: Mapping[str, str] = field(default_factory=dict)
    deadline: int = 60

    def __post_init__(self) -> None:
        """Raise ValueError for what could not work."""
        if self.name and not _NAME.fullmatch(self.name):
            raise ValueError(f"name {self.name!r}: 1 to 60 letters, digits, spaces and . _ -")
        if self.command and self.url:
            raise ValueError("command and url exclude each other")
        if self.url:
            _check_url(self.url)
        if not 1 <= self.deadline <= _LONGEST:
            raise ValueError(f"deadline: 1 to {_LONGEST} seconds, not {self.deadline}")


EMPTY: Final = Policy(rules.parse({}))


def load(file: Path) -> Policy:
    """Read a policy file, YAML or JSON; raises ValueError with the file's name for one that is not well formed."""
    try:
        return parse(read(file.read_bytes()))
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def read(octets: bytes) -> object:
    """Read YAML without tags, aliases and double keys; raises ValueError for anything else."""
    if len(octets) > MAX_OCTETS:
        raise ValueError(f"{len(octets)} octets; {MAX_OCTETS} are the most")
    try:
        return yaml.load(octets, Loader=_Strict)  # noqa: S506 - a SafeLoader that refuses duplicates
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from error


def parse(value: object) -> Policy:
    """Read a policy from what stands in its file; raises ValueError for an unknown member or a wrong value."""
    members = _closed("the policy", value, MEMBERS)
    tools = _mapping("tools", members.get("tools", {}))
    words, listed = {}, {}
    for name, entry in tools.items():
        said = {"rule": entry} if isinstance(entry, str) else _closed(f"tools: {name}", entry, _OF_TOOL)
        listed[name] = said.get("rule", "approve")
        words[str(name)] = _words(str(name), said)
    return Policy(
        rules.parse(listed),
        words,
        _text("name", members),
        tuple(_texts("command", members.get("command", []))),
        _text("url", members),
        _text("folder", members),
        _pairs("headers", members.get("headers", {})),
        _variables("environment", members["environment"]) if "environment" in members else None,
        _keyring(members.get("keyring", {})),
        _integer("deadline", members.get("deadline", 60)),
    )


class _Strict(yaml.SafeLoader):  # type: ignore[misc]  # it has no types
    """The safe loader of YAML, which also refuses a key given twice, and an alias."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: ANN401, FBT001, FBT002 - as in yaml
        """Give a mapping whose keys are all different."""
        found = super().construct_mapping(node, deep=deep)
        if len(found) != len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key is given twice", node.start_mark)
        return cast("dict[Any, Any]", found)

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 - as in yaml
        """Give the next node; an alias could make a few lines as long as a library."""
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "an alias", self.peek_event().start_mark)
        return super().compose_node(parent, index)


def _words(name: str, said: Mapping[str, object]) -> Words:
    reversible = said.get("reversible", False)
    if not isinstance(reversible, bool):
        raise ValueError(f"tools: {name}: reversible is true or false")  # noqa: TRY004 - one kind of error
    texts = [_text(member, said, f"tools: {name}: ") for member in ("intent", "summary")]
    return Words(texts[0], texts[1], _pairs(f"tools: {name}: labels", said.get("labels", {})), reversible)


def _closed(what: str, value: object, allowed: frozenset[str]) -> dict[str, object]:
    found = _mapping(what, value)
    unknown = [str(name) for name in found if name not in allowed]
    if unknown:
        raise ValueError(f"{what}: {unknown[0]} is none of {', '.join(sorted(allowed))}")
    return cast("dict[str, object]", found)


def _mapping(what: str, value: object) -> dict[object, object]:
    if not isinstance(value, dict):
        raise ValueError(f"{what}: not a mapping")  # noqa: TRY004 - one kind of error
    return value


def _text(name: str, members: Mapping[str, object], where: str = "") -> str:
    value = members.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{where}{name}: not a text")  # noqa: TRY004 - one kind of error
    return value


def _texts(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{name}: not a list of texts")
    return value


def _pairs(name: str, value: object) -> dict[str, str]:
    found = _mapping(name, value)
    if not all(isinstance(key, str) and isinstance(entry, str) for key, entry in found.items()):
        raise ValueError(f"{name}: texts by name, nothing else")
    return cast("dict[str, str]", found)


def _variables(name: str, value: object) -> tuple[str, ...]:
    found = _texts(name, value)
    wrong = [item for item in found if not _VARIABLE.fullmatch(item)]
    if wrong:
        raise ValueError(f"{name}: {wrong[0]!r} is no name of a variable")
    return tuple(found)


def _keyring(value: object) -> dict[str, str]:
    found = _pairs("keyring", value)
    _variables("keyring", list(found))
    wrong = [entry for entry in found.values() if not all(entry.partition("/"))]
    if wrong:
        raise ValueError(f"keyring: {wrong[0]!r} is not written as service/user")
    return found


def _integer(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name}: not a whole number")  # noqa: TRY004 - one kind of error
    return value


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError(f"url: {url!r} is no address")
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        raise ValueError(f"url: {url!r} needs https: plain http is for this machine")
    if parts.username or parts.password:
        raise ValueError("url: a password belongs into headers, from the environment or the keyring")
