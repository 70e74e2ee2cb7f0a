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
    return f"{identifier}.{rounds}.{_code(key, identifier, rounds, to)}"


def unseal(keys: Sequence[bytes], text: str, to: bytes) -> tuple[str, int]:
    """Give the held call and the rounds of a state; refuses `held_unknown` for one of another session or call."""
    identifier, _, rest = text.partition(".")
    number, _, code = rest.partition(".")
    if number.isascii() and number.isdecimal() and len(number) <= 2:  # noqa: PLR2004 - there are never that many rounds
        rounds = int(number)
        if any(hmac.compare_digest(code.encode(), _code(key, identifier, rounds, to).encode()) for key in keys):
            return identifier, rounds
    raise Refusal(Reason.HELD_UNKNOWN, "a state of another session or call")


def _code(key: bytes, identifier: str, rounds: int, to: bytes) -> str:
    said = f"oneact-tool-state-1\n{identifier}\n{rounds}\n".encode() + to
    return base64url.encode(hmac.digest(key, said, "sha256"))
