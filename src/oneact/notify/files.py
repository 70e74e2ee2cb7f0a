"""Messages as files in a folder, or as commits in a git work tree that is pushed."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from oneact.notify.message import Message

_SECONDS: Final = 60
_AUTHOR: Final = ("-c", "user.name=OneAct", "-c", "user.email=oneact@localhost")


def write(folder: Path, message: Message) -> None:
    """Write the message's text under its name, whole and durably; refuses `metadata_unreachable`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f".{message.name}.{os.getpid()}"
        with beside.open("w", encoding="utf-8") as opened:
            opened.write(message.text)
            opened.flush()
            os.fsync(opened.fileno())
        beside.replace(folder / message.name)
    except OSError as error:
        raise Refusal(Reason.METADATA_UNREACHABLE, f"{folder}: {error}") from error


def commit(tree: Path, message: Message) -> None:
    """Write, commit and, where the branch has an upstream, push; refuses `metadata_unreachable`."""
    write(tree, message)
    _git(tree, "add", "--", message.name)
    if _git(tree, "status", "--porcelain", "--", message.name):
        _git(tree, *_AUTHOR, "commit", "--quiet", "--message", message.subject, "--", message.name)
    if _has_upstream(tree):
        _git(tree, "push", "--quiet")


def _has_upstream(tree: Path) -> bool:
    try:
        return bool(_git(tree, "rev-parse", "--abbrev-ref", "@{upstream}"))
    except Refusal:
        return False


def _git(tree: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - arguments of our own
            ["git", "-C", str(tree), *arguments],  # noqa: S607 - the git of the machine
            capture_output=True, text=True, timeout=_SECONDS, check=True, stdin=subprocess.DEVNULL,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise Refusal(Reason.METADATA_UNREACHABLE, f"git in {tree}: {error}") from error
    return done.stdout.strip()
