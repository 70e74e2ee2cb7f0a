"""What an agent keeps of one pairing: its key, its client identifier, its hint; one file that only its owner reads."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, form, jwk
from oneact.protocol.jwk import SigningKey

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json

_MEMBERS = frozenset({"issuer", "client_id", "hint", "key"})


@dataclass(frozen=True, slots=True)
class Pairing:
    """One pairing; `client_id` and `hint` are empty until the agent is registered and paired."""

    issuer: str
    key: SigningKey
    client_id: str = ""
    hint: str = ""

    def registered(self, client_id: str) -> Pairing:
        """Give the pairing with its client identifier."""
        return replace(self, client_id=client_id)

    def paired(self, hint: str) -> Pairing:
        """Give the pairing with its hint."""
        return replace(self, hint=hint)

    def members(self) -> dict[str, Json]:
        """Give what stands in the file."""
        return {"issuer": self.issuer, "client_id": self.client_id, "hint": self.hint, "key": self.key.private_jwk()}


def folder() -> Path:
    """Give the folder of all pairings: ONEACT_HOME, or the user's configuration."""
    home = os.environ.get("ONEACT_HOME")
    return Path(home) if home else Path.home() / ".config" / "oneact"


def default_file(issuer: str) -> Path:
    """Give the file for pairings with this issuer."""
    parts = urlsplit(issuer)
    return folder() / (re.sub(r"[^A-Za-z0-9.-]+", "_", parts.netloc + parts.path.rstrip("/")) + ".json")


def load(file: Path, issuer: str) -> Pairing:
    """Read the file, or start a fresh pairing with a new key where it is absent.

    Refuses `key_malformed` for a file that others can read, that is no pairing, or that is another issuer's.
    """
    if not file.exists():
        return Pairing(issuer, SigningKey(ec.generate_private_key(ec.SECP256R1())))
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise Refusal(Reason.KEY_MALFORMED, f"{file} can be read by others; make it 0600")
    members = form.closed(canonical.parse(file.read_bytes()), Reason.KEY_MALFORMED, _MEMBERS)
    texts = [members[name] for name in ("issuer", "client_id", "hint")]
    found, client_id, hint = (text if isinstance(text, str) else "" for text in texts)
    if found != issuer:
        raise Refusal(Reason.KEY_MALFORMED, f"{file} is a pairing with {found}")
    return Pairing(issuer, jwk.parse_private(members["key"]), client_id, hint)


def save(file: Path, pairing: Pairing) -> None:
    """Write the file whole, readable by its owner alone."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(canonical.encode(pairing.members()) + b"\n")
        opened.flush()
        os.fsync(opened.fileno())
    beside.replace(file)
