"""What a client of revision 2026-07-28 carries from one round to the next: which held call it waits for, sealed."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url, canonical

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oneact.protocol.canonical import Json


def bound(session: str, tool: str, parameters: Json) -> bytes:
    """Give what a state is bound to: this session, this tool, these parameters."""
    return canonical.encode([session, tool, canonical.digest(parameters)])


def seal(key: bytes, identifier: str, rounds: int, to: bytes) -> str:
    """Give the state of a held call after so many rounds."""
    said = f"{identifier}.{rounds}"
    return f"{said}.{_code(key, said, to)}"


def unseal(keys: Sequence[bytes], text: str, to: bytes) -> tuple[str, int]:
    """Give the held call and the rounds of a state; refuses `held_unknown` for one of another session or call."""
    said, _, code = text.rpartition(".")
    given = code.encode("utf-8", "surrogatepass")
    if not any(hmac.compare_digest(given, _code(key, said, to).encode()) for key in keys):
        raise Refusal(Reason.HELD_UNKNOWN, "a state of another session or call")
    identifier, _, rounds = said.rpartition(".")
    return identifier, int(rounds)


def _code(key: bytes, said: str, to: bytes) -> str:
    whole = f"oneact-tool-state-1\n{said}\n".encode("utf-8", "surrogatepass") + to
    return base64url.encode(hmac.digest(key, whole, "sha256"))
