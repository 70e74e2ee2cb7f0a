"""How the server behind the proxy is reached, and what it gets of the credentials that the proxy holds."""

from __future__ import annotations

import importlib
import os
import re
from typing import TYPE_CHECKING, Final

from oneact.gateway.mcp.lines import Child
from oneact.gateway.mcp.messages import Lost
from oneact.gateway.mcp.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.gateway.mcp.messages import Link
    from oneact.gateway.mcp.policy import Policy
    from oneact.gateway.mcp.upstream import Connect

# What programs need to run at all, as they run in a terminal.
_ALWAYS: Final = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT",
    "SYSTEMDRIVE", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PATHEXT", "COMSPEC", "HOMEDRIVE", "HOMEPATH", "USERNAME",
)  # fmt: skip
_OURS: Final = "ONEACT_"
_PLACE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def connecting(policy: Policy) -> Connect:
    """Give what starts or reaches the server of a policy; raises ValueError where a credential is missing."""
    environment = given(policy, os.environ)
    if policy.url:
        headers = {name: _filled(name, value, environment) for name, value in policy.headers.items()}

        async def reach() -> Link:
            return await Remote.open(policy.url, headers)

        return reach

    async def start() -> Link:
        if not policy.command:
            raise Lost("the policy names neither command nor url")
        return await Child.start(policy.command, environment, policy.folder)

    return start


def given(policy: Policy, own: Mapping[str, str]) -> dict[str, str]:
    """Give the server's environment: of the proxy's what the policy names, all but OneAct's own where it names none.

    Raises ValueError for a variable that is not set, and a keyring that has no such entry or is not installed.
    """
    if policy.environment is None:
        found = {name: value for name, value in own.items() if not name.startswith(_OURS)}
    else:
        missing = [name for name in policy.environment if name not in own]
        if missing:
            raise ValueError(f"environment: {missing[0]} is not set")
        found = {name: own[name] for name in (*_ALWAYS, *policy.environment) if name in own}
    return found | {name: _kept(name, entry) for name, entry in policy.keyring.items()}


def _kept(name: str, entry: str) -> str:
    try:
        keyring = importlib.import_module("keyring")
    except ModuleNotFoundError as error:
        raise ValueError(f"keyring: {name} needs the keyring library; pip install keyring") from error
    service, _, user = entry.partition("/")
    try:
        found = keyring.get_password(service, user)
    except Exception as error:  # no keyring here, a locked one; and each backend has errors of its own besides
        raise ValueError(f"keyring: {entry} cannot be read: {error}") from error
    if not isinstance(found, str):
        raise ValueError(f"keyring: nothing is kept for {entry}")  # noqa: TRY004 - it is absent
    return found


def _filled(header: str, value: str, environment: Mapping[str, str]) -> str:
    def named(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise ValueError(f"headers: {header}: {match[1]} is not set")
        return environment[match[1]]

    return _PLACE.sub(named, value)
