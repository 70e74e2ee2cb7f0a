"""Addresses that messages are sent to, as they stand in the settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from oneact.errors import Reason, Refusal
from oneact.protocol.metadata import split

_WEB: Final = ("https", "http")


@dataclass(frozen=True, slots=True)
class Address:
    """One address: `target` is a folder, a work tree, a URL or a mailbox."""

    kind: Literal["file", "git", "webhook", "mail"]
    target: str

    @property
    def folder(self) -> Path:
        """Give the folder of a `file` or `git` address."""
        return Path(self.target)


def parse(text: str) -> Address:
    """Read `file:/folder`, `git:/work/tree`, `https://…` or `mailto:name@host`; else refuse `request_malformed`."""
    parts = split(text, Reason.REQUEST_MALFORMED)
    if parts.scheme in {"file", "git"} and not parts.netloc and parts.path.startswith("/"):
        return Address("file" if parts.scheme == "file" else "git", parts.path)
    if parts.scheme in _WEB and parts.hostname:
        return Address("webhook", text)
    name, at, host = parts.path.partition("@")
    if parts.scheme == "mailto" and name and at and host and not set(parts.path) & set(" \r\n,;<>"):
        return Address("mail", parts.path)
    raise Refusal(Reason.REQUEST_MALFORMED, f"{text!r} is no address: file:/…, git:/…, https://… or mailto:…")
